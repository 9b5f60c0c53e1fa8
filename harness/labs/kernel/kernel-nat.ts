/** The NAT of a site in the kernel of its gateways: put in place, made to misbehave, and made to prove that it did. */

import type { NatEvent } from '../../agents/actor-spec.ts';
import { type GatewayWiring, gatewayEvent, natCounterLines, rulesLine } from '../../nat/gateway-events.ts';
import type { Nat } from '../../nat/nat.ts';
import { type NatCounter, natSysctlLines } from '../../nat/nftables.ts';
import type { Receipt } from '../ground.ts';
import { LAN_PREFIX, WAN_PREFIX } from './places.ts';

type Counters = Readonly<Record<NatCounter, number>>;

/** `name number` lines. @throws Error for anything else */
export const parseCounters = (text: string): Counters =>
  Object.fromEntries(
    text.split('\n').map((line) => {
      const found = /^([a-z_]+) (\d+)$/.exec(line.trim());
      if (found === null) throw new Error(`expected "name packets" from nft, got "${line}"`);
      return [found[1], Number(found[2])];
    }),
  ) as Record<NatCounter, number>;

/** What the counters gained, in words: `lost_inner +3, stalled +12`; empty if nothing. */
export const gained = (before: Counters, after: Counters): string =>
  (Object.keys(after) as NatCounter[])
    .filter((name) => after[name] > before[name])
    .map((name) => `${name} +${after[name] - before[name]}`)
    .join(', ');

/** How long the event keeps the path shut, in milliseconds. */
const outageOf = (event: NatEvent): number =>
  event.kind === 'reboot' ? event.downMillis : event.kind === 'flap' ? event.millis : 0;

/** A gateway of one NAT: devices `wan0` (outer side) and `lan0`, and a way to run POSIX shell lines in it as root. */
export type KernelGateway = {
  /** Runs a script that ends at its first failing command. `takesMillis`: how long it is meant to take. @throws LabError */
  readonly shell: { run(script: string, takesMillis?: number): Promise<string> };
  /** Its address on the outer side. */
  readonly address: string;
  /** What is beyond the outside network is reached through this address; undefined: nothing is. */
  readonly uplink: string | undefined;
};

export type KernelNatSpec = {
  readonly nat: Nat;
  /** The gateway with the public address: events happen there. */
  readonly outer: KernelGateway;
  /** The one in front of a carrier's. */
  readonly home: KernelGateway | undefined;
  /** A public address nobody ever had. @throws LabError when there is none left */
  readonly nextAddress: () => string;
  /** Shell lines for every gateway, after those of the NAT, whenever these are put in place. */
  readonly besides: readonly string[];
};

export class KernelNat {
  readonly #spec: KernelNatSpec;
  #address: string;

  constructor(spec: KernelNatSpec) {
    this.#spec = spec;
    this.#address = spec.outer.address;
  }

  /** The address others see the site under, now. */
  get publicAddress(): string {
    return this.#address;
  }

  #wiring(gateway: KernelGateway): GatewayWiring {
    const { outer, home } = this.#spec;
    const outermost = gateway === outer;
    return {
      wan: 'wan0',
      wanAddress: outermost ? this.#address : gateway.address,
      lan: 'lan0',
      tier: outermost ? 'carrier' : 'home',
      subscribers: outermost && home !== undefined ? [home.address] : [],
      forwards: [],
      wanPrefix: outermost ? WAN_PREFIX : LAN_PREFIX,
      wanGateway: gateway.uplink,
    };
  }

  /** Sets idle times and rules in every gateway. @throws LabError with what nft or the kernel said */
  async install(): Promise<void> {
    const { outer, home } = this.#spec;
    for (const gateway of home === undefined ? [outer] : [outer, home]) await this.#load(gateway);
  }

  /** Shell lines that do to one of the gateways what `install` does to all. The last ones hold a here document. */
  lines(gateway: KernelGateway): readonly string[] {
    const { nat, besides } = this.#spec;
    return [...natSysctlLines(nat), rulesLine(nat, this.#wiring(gateway)), ...besides];
  }

  async #load(gateway: KernelGateway): Promise<void> {
    await gateway.shell.run(this.lines(gateway).join('\n'));
  }

  /**
   * Does the event to the gateway with the public address, and comes back when it is over.
   * @throws LabError
   */
  async fault(event: NatEvent): Promise<Receipt> {
    const { outer, nextAddress } = this.#spec;
    const { shell } = outer;
    const old = this.#address;
    const moved = event.kind === 'readdress' ? nextAddress() : undefined;
    const lines = gatewayEvent(event.kind, this.#wiring(outer), moved);
    const outage = outageOf(event);
    const before = parseCounters(await shell.run(natCounterLines().join('\n')));
    const whole = [
      ...lines.begin,
      ...(outage > 0 ? [`sleep ${(outage / 1000).toFixed(3)}`] : []),
      ...lines.end,
      ...lines.receipt,
    ];
    const counted = Number((await shell.run(whole.join('\n'), outage)).split('\n').at(-1));
    const after = parseCounters(await shell.run(natCounterLines().join('\n')));
    if (moved !== undefined) {
      this.#address = moved;
      // the rules name the public address; live mappings survive their replacement
      await this.#load(outer);
    }
    // the flap counts what it stalled since the rules were put in place
    const effects = event.kind === 'flap' ? counted - before.stalled : counted;
    const parts = [`${effects} ${lines.counts}`, gained(before, after)];
    if (outage > 0) parts.push(`path shut for ${outage} ms`);
    if (moved !== undefined) parts.push(`public address ${old} -> ${moved}`);
    return { effects, text: parts.filter((part) => part !== '').join('; ') };
  }
}
