/** The NAT of a site in the kernel of its gateways: put in place, made to misbehave, and made to prove that it did. */

import type { NatEvent } from '../../agents/actor-spec.ts';
import { type GatewayWiring, gatewayEvent, natCounterLines } from '../../nat/gateway-events.ts';
import { type NatCounter, natSysctlLines, renderNat } from '../../nat/nftables.ts';
import type { Receipt } from '../ground.ts';
import type { Gateway } from './gateway.ts';
import { LAN_PREFIX, type Stage, WAN_PREFIX, wanAddress } from './stage.ts';

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

/** Addresses handed out to gateways that moved, over all sites of a run. */
export class Moves {
  #count = 0;
  next(): number {
    return this.#count++;
  }
}

export class KernelNat {
  readonly #stage: Stage;
  readonly #moves: Moves;
  /** The gateway with the public address: events happen there. */
  readonly #outer: Gateway;
  readonly #home: Gateway | undefined;
  readonly #besides: readonly string[];
  #address: string;

  /** @param besides shell lines for every gateway, after those of the NAT, whenever these are put in place */
  constructor(
    stage: Stage,
    moves: Moves,
    outer: Gateway,
    home: Gateway | undefined,
    besides: readonly string[] = [],
  ) {
    this.#besides = besides;
    this.#stage = stage;
    this.#moves = moves;
    this.#outer = outer;
    this.#home = home;
    this.#address = outer.spec.outside.address;
  }

  /** The address others see the site under, now. */
  get publicAddress(): string {
    return this.#address;
  }

  #wiring(gateway: Gateway): GatewayWiring {
    const outermost = gateway === this.#outer;
    const { outside, uplink } = gateway.spec;
    return {
      wan: 'wan0',
      wanAddress: outermost ? this.#address : outside.address,
      lan: 'lan0',
      tier: outermost ? 'carrier' : 'home',
      subscribers: outermost && this.#home !== undefined ? [this.#home.spec.outside.address] : [],
      forwards: [],
      wanPrefix: outermost ? WAN_PREFIX : LAN_PREFIX,
      wanGateway: uplink,
    };
  }

  /** Sets idle times and rules in every gateway. @throws LabError with what nft or the kernel said */
  async install(): Promise<void> {
    for (const gateway of this.#home === undefined ? [this.#outer] : [this.#outer, this.#home])
      await this.#load(gateway);
  }

  async #load(gateway: Gateway): Promise<void> {
    const nat = gateway.spec.site.nat.value;
    const rules = renderNat(nat, this.#wiring(gateway));
    await gateway.shell.run(
      [...natSysctlLines(nat), "nft -f - <<'RULES'", rules, 'RULES', ...this.#besides].join('\n'),
    );
  }

  /**
   * Does the event to the gateway with the public address, and comes back when it is over.
   * @throws LabError
   */
  async fault(event: NatEvent): Promise<Receipt> {
    const { shell } = this.#outer;
    const old = this.#address;
    const moved =
      event.kind === 'readdress' ? wanAddress.moved(this.#stage.wan, this.#moves.next()) : undefined;
    const lines = gatewayEvent(event.kind, this.#wiring(this.#outer), moved);
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
      await this.#load(this.#outer);
    }
    // the flap counts what it stalled since the rules were put in place
    const effects = event.kind === 'flap' ? counted - before.stalled : counted;
    const parts = [`${effects} ${lines.counts}`, gained(before, after)];
    if (outage > 0) parts.push(`path shut for ${outage} ms`);
    if (moved !== undefined) parts.push(`public address ${old} -> ${moved}`);
    return { effects, text: parts.filter((part) => part !== '').join('; ') };
  }
}
