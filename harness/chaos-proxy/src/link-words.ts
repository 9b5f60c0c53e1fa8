import type { Fault } from './faults/registry.ts';
import type { Address, Listener, NameConn } from './machine.ts';
import type { EffectReport, ReceiptReport } from './receipt.ts';

/** What a link tells. Receipts are exact; effects are summed to a few a second for each fault. */
export type LinkReport =
  | { readonly type: 'link.ready'; readonly port: number }
  | { readonly type: 'link.failed'; readonly why: 'in use' | 'denied' | 'exhausted' }
  | EffectReport
  | ReceiptReport
  /** Answers `stop`: no connection is left. */
  | { readonly type: 'link.stopped' };

/** What a link can be told while it runs. */
export type LinkCommand =
  /** Acts on living connections as well as on new ones. */
  | { readonly do: 'add'; readonly id: string; readonly fault: Fault }
  /**
   * Answered by the fault's receipt. Bytes that are already delayed keep their time, with `flush` only if other faults
   * delay them as well; a stall ends.
   */
  | { readonly do: 'remove'; readonly id: string; readonly flush?: boolean }
  /** Another fault under the same id, at the same place among the others, with the same receipt. Flushes as `remove` can. */
  | { readonly do: 'change'; readonly id: string; readonly fault: Fault }
  | { readonly do: 'clear' }
  /** Resets what lives and refuses what comes, until `up`; a fault with the id `down`. */
  | { readonly do: 'down' }
  | { readonly do: 'up' }
  /** Of one fault, also a removed one; or of all. */
  | { readonly do: 'receipt'; readonly id: string }
  | { readonly do: 'receipts' }
  /** Where new connections are dialled to. */
  | { readonly do: 'upstream'; readonly to: Address };

export type LinkOptions = {
  /** `host` undefined: the driver's bind address. Port 0: any. Without it the driver listens when it wants to. */
  readonly listen?: { readonly host?: string; readonly port: number };
  readonly upstream: Address;
  /** Listeners, opened by the owner besides `listen`, whose connections lead elsewhere. Ordinals and faults are shared. */
  readonly upstreams?: ReadonlyMap<Listener, Address>;
  /** Local address to dial from; its port 0: any. */
  readonly from?: Address;
  /** In the order bytes meet them. Their ids are `kind`, or `kind-2` and so on for a second one of a kind. */
  readonly faults: readonly Fault[];
  /** 32 bits; decides every choice left to chance. */
  readonly seed: number;
  readonly name: NameConn;
  /** After how long the ends of a silent connection would notice by TCP keepalive; both are reset then. Without it: never. */
  readonly keepaliveMillis?: number;
  /** What a client may send before the upstream is there. */
  readonly earlyBytesMax?: number;
  /** No command will change the faults: connections they cannot touch are handed to the driver by `splice`. */
  readonly static?: boolean;
};
