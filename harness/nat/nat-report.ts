/** What a userspace NAT is told and what it says. */
import type { Millis } from '../../reference-impl/machine/machine.ts';
import type { PathEvent } from '../trace/trace.ts';

/** `id` comes back in the receipt: the number of the fault in the timeline. */
export type NatCommand =
  /** The gateway forgets every mapping and passes nothing for `downMillis` (0: forgets only). */
  | { readonly do: 'reboot'; readonly id: number; readonly downMillis: Millis }
  /** The public address changes: old mappings are gone, new connections leave from `publicHost`. */
  | { readonly do: 'readdress'; readonly id: number; readonly publicHost: string | undefined }
  /** Forgets the mappings that were unused for at least `idleMillis` (0: all). */
  | { readonly do: 'expire'; readonly id: number; readonly idleMillis: Millis }
  /** Passes nothing for `millis`, forgets nothing. */
  | { readonly do: 'flap'; readonly id: number; readonly millis: Millis }
  /** Asks what happened since the last one (idle expiry and exhaustion have no command of their own). */
  | { readonly do: 'receipt'; readonly id: number };

export type NatReceipt = {
  readonly type: 'nat.receipt';
  readonly id: number;
  readonly kind: NatCommand['do'];
  /** Measurable things done: mappings dropped or expired, connections stalled, held or refused. 0: no proof. */
  readonly effects: number;
  readonly text: string;
};

/** `conn` of every event is the inner connection. `port` of `nat.mapped` is 0 where the system chose it. */
export type NatReport =
  | Extract<PathEvent, { readonly type: `nat.${string}` }>
  | NatReceipt
  | { readonly type: 'nat.ready'; readonly port: number }
  /** It cannot listen: `in use`, `denied`, `exhausted`. */
  | { readonly type: 'nat.failed'; readonly why: string }
  /** Answer to `stop`: every socket is gone; `resets` had still been open. */
  | { readonly type: 'nat.stopped'; readonly resets: number };

/** What has happened so far, for the receipt that is asked for. */
export type NatTally = {
  mapped: number;
  expired: number;
  dropped: number;
  exhausted: number;
  noticed: number;
  /** Payload that came through no mapping and went nowhere. */
  discardedBytes: number;
};

export const newTally = (): NatTally => ({
  mapped: 0,
  expired: 0,
  dropped: 0,
  exhausted: 0,
  noticed: 0,
  discardedBytes: 0,
});

/** `1 mapping`, `2 mappings`. */
export const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`;

/** The receipt for everything since the last one. */
export const tallyReceipt = (id: number, tally: NatTally): NatReceipt => ({
  type: 'nat.receipt',
  id,
  kind: 'receipt',
  effects: tally.expired + tally.dropped + tally.exhausted,
  text: [
    `${counted(tally.mapped, 'mapping')} made`,
    `${tally.expired} expired`,
    `${tally.dropped} dropped`,
    `${counted(tally.exhausted, 'connection')} found no port`,
    `${counted(tally.discardedBytes, 'byte')} discarded`,
    `${counted(tally.noticed, 'end')} reset`,
  ].join(', '),
});
