/** A link's faults as what packets meet: delay, jitter, loss, rate, holes in time. Pure: whoever has a gateway does it. */
import type { Fault } from 'chaos-proxy';
import type { Millis } from '../../reference-impl/machine/machine.ts';

type Latency = Extract<Fault, { readonly kind: 'latency' }>;
export type Way = 'up' | 'down';

/** What packets of one direction meet. */
export type PacketWay = {
  readonly delayMillis: Millis;
  readonly jitterMillis: Millis;
  readonly dist: NonNullable<Latency['dist']>;
  /** 0 to 1: share of packets that overtake those before them, by leaving without delay. */
  readonly reorder: number;
  /** 0 to 1: share of packets that are dropped. */
  readonly loss: number;
  /** Bytes per second; undefined: as fast as it goes. */
  readonly rate: number | undefined;
};

/** Nothing passes from `afterMillis` on for `onMillis`, and again `offMillis` later; undefined: once. */
export type PacketStall = {
  readonly ways: readonly Way[];
  readonly afterMillis: Millis;
  readonly onMillis: Millis;
  readonly offMillis: Millis | undefined;
};

export type PacketLink = {
  readonly up: PacketWay;
  readonly down: PacketWay;
  readonly stalls: readonly PacketStall[];
};

const NOTHING: PacketWay = {
  delayMillis: 0,
  jitterMillis: 0,
  dist: 'uniform',
  reorder: 0,
  loss: 0,
  rate: undefined,
};

const waysOf = ({ direction = 'both' }: Fault): readonly Way[] =>
  direction === 'both' ? ['up', 'down'] : [direction];

export const stallOf = (fault: Extract<Fault, { readonly kind: 'stall' }>): PacketStall => ({
  ways: waysOf(fault),
  afterMillis: fault.when !== undefined && 'afterMillis' in fault.when ? fault.when.afterMillis : 0,
  onMillis: fault.onMs,
  offMillis: fault.offMs,
});

const PLACED = 'packets know no connections: it cannot choose among them, nor wait for what one does';

/**
 * Why a fault has no packet form; undefined: it has one, or stays what it is on a stream (`isPacket` tells which).
 * @param where a site has its faults all the time; the timeline begins and ends them
 */
export const packetRefusal = (fault: Fault, where: 'site' | 'timeline'): string | undefined => {
  const { kind, selector, when } = fault;
  if (kind === 'reset' && where === 'timeline') return undefined;
  const timed = when === undefined || 'afterMillis' in when;
  if (kind === 'stall') return selector === undefined && timed ? undefined : `stall: ${PLACED}`;
  if (where === 'timeline')
    return `${kind} in a timeline has no packet form (stall has one; reset stays a stream fault)`;
  if (kind !== 'latency' && kind !== 'bandwidth' && kind !== 'lossLike') return `${kind} has no packet form`;
  if (selector !== undefined || when !== undefined || fault.forMillis !== undefined)
    return `${kind}: ${PLACED}`;
  if (kind === 'bandwidth' && fault.scope !== 'link')
    return 'bandwidth for each connection has no packet form (scope=link has)';
  if (kind === 'lossLike' && ((fault.burst ?? 1) > 1 || (fault.correlation ?? 0) > 0))
    return 'lossLike in bursts has no packet form';
  if (kind === 'latency' && (fault.correlation ?? 0) > 0)
    return 'latency with correlation has no packet form';
  return undefined;
};

/** Whether packets meet it; else it acts on streams, whatever the links. */
export const isPacket = ({ kind }: Fault): boolean => kind !== 'reset';

/** Of two in a row, to the millionth that the rules know. */
const lossOf = (a: number, b: number): number => Math.round((1 - (1 - a) * (1 - b)) * 1e6) / 1e6;

/** Losses, rates and delays of several faults add up as they would in a row. `rtoMs` is the kernel's own here. */
export const packetLink = (faults: readonly Fault[]): PacketLink => {
  const way = { up: NOTHING, down: NOTHING };
  const stalls: PacketStall[] = [];
  for (const fault of faults) {
    if (fault.kind === 'stall') stalls.push(stallOf(fault));
    for (const each of waysOf(fault)) {
      const now = way[each];
      if (fault.kind === 'latency')
        way[each] = {
          ...now,
          delayMillis: now.delayMillis + fault.ms,
          jitterMillis: now.jitterMillis + (fault.jitter ?? 0),
          dist: fault.dist ?? now.dist,
        };
      else if (fault.kind === 'lossLike') way[each] = { ...now, loss: lossOf(now.loss, fault.ratio) };
      else if (fault.kind === 'bandwidth')
        way[each] = { ...now, rate: Math.min(now.rate ?? Number.POSITIVE_INFINITY, fault.rate) };
    }
  }
  return { ...way, stalls };
};

const some = ({ up, down }: PacketLink, test: (way: PacketWay) => boolean): boolean => test(up) || test(down);
export const hasDelay = (link: PacketLink): boolean =>
  some(link, ({ delayMillis, jitterMillis }) => delayMillis + jitterMillis > 0);
export const hasLoss = (link: PacketLink): boolean => some(link, ({ loss }) => loss > 0);
export const hasRate = (link: PacketLink): boolean => some(link, ({ rate }) => rate !== undefined);

/** How a link is done, in words for `site.declared.linkForm`. */
export const packetFormText = (link: PacketLink, netem: boolean): string => {
  const parts = netem
    ? hasDelay(link) || hasLoss(link) || hasRate(link)
      ? ['netem']
      : []
    : [
        ...(hasLoss(link) ? ['nft loss'] : []),
        ...(hasRate(link) ? ['tbf'] : []),
        ...(hasDelay(link) ? ['vxlan userspace'] : []),
      ];
  if (link.stalls.length > 0) parts.push('nft drop while stalled');
  return `packet: ${parts.length === 0 ? 'nothing in the way' : parts.join(' + ')}; resets by stream`;
};
