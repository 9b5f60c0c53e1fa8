/**
 * A NAT as a value, in the words of RFC 4787 (behaviours) and RFC 5382 (TCP). `nat-machine.ts` runs it in user space,
 * `nftables.ts` renders it for a Linux gateway, `forms.ts` says how true each of the two is.
 */
import type { Millis } from '../../reference-impl/machine/machine.ts';

/**
 * Port assignment (RFC 4787 §4.2.1). `preserving`: the inner port if it is free, else another. `random`: any port from 1024.
 * `range`: one of `ports` ports and no more (RFC 4787: no overloading, so the range can run out).
 */
export type Mapping =
  | { readonly kind: 'preserving' }
  | { readonly kind: 'random' }
  /** `ports`: 1..PORTS_MAX. */
  | { readonly kind: 'range'; readonly ports: number };

/** Who outside may use a mapping (RFC 4787 §5, RFC 5382 §4.3). */
export type Filtering = 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent';

/** What a connection attempt from outside that no mapping admits gets (RFC 5382 §4.3, REQ-4). */
export type Unsolicited = 'drop' | 'reset';

/**
 * What an end learns when it sends through a mapping that is gone. `silent`: nothing, the packet is lost (black hole).
 * `rst`: the gateway answers RST. `rebind`: the inner end's packet leaves from a new port, which the far end does not know,
 * so the far end answers RST; the outer end's packets are lost.
 */
export type Notify = 'silent' | 'rst' | 'rebind';

/** What a new connection gets when no port is left. `icmp`: host unreachable. */
export type Exhaustion = 'silent' | 'rst' | 'icmp';

export type Nat = {
  readonly mapping: Mapping;
  readonly filtering: Filtering;
  readonly unsolicited: Unsolicited;
  readonly idle: {
    /** Established connection idle-timeout (RFC 5382 §5, REQ-5: at least 2 h 4 min). 1..IDLE_MILLIS_MAX. */
    readonly establishedMillis: Millis;
    readonly notify: Notify;
  };
  readonly exhaustion: Exhaustion;
  /** 1: one NAT. 2: a home NAT that keeps ports behind a carrier-grade one (RFC 6888) that does `mapping`. */
  readonly depth: 1 | 2;
  /** An inner host reaches another one by the NAT's public address (RFC 4787 §6, RFC 5382 §7.2 REQ-8). */
  readonly hairpin: boolean;
};

/** Largest range of ports: 1024..65535. */
export const PORTS_MAX = 64_512;
/** 30 days: no longer than a timer of a real gateway makes sense. */
export const IDLE_MILLIS_MAX = 30 * 24 * 3_600_000;

/** RFC 5382 REQ-5: transitory connection idle-timeout, at least 4 minutes. */
const TRANSITORY_MILLIS = 240_000;

/**
 * Idle timeout of a connection that one end has finished (RFC 5382 §5: "transitory"), in ms: 4 minutes, and never longer than
 * the established one. Not a field, because no preset needs another value.
 */
export const transitoryMillis = (nat: Nat): Millis => Math.min(TRANSITORY_MILLIS, nat.idle.establishedMillis);

/**
 * The same NAT in a run whose own clocks are changed: every duration times `timeScale` (0.1 makes 60 s of idling 6 s), at least
 * 1 ms. The kernel form rounds up to whole seconds.
 * @throws RangeError unless timeScale is positive and finite
 */
export const scaled = (nat: Nat, timeScale: number): Nat => {
  if (!(timeScale > 0 && Number.isFinite(timeScale)))
    throw new RangeError(`timeScale ${timeScale}: give a number above 0`);
  const establishedMillis = Math.max(1, Math.round(nat.idle.establishedMillis * timeScale));
  return { ...nat, idle: { ...nat.idle, establishedMillis } };
};

/** A duration for people: `300 s`, `2 h 4 min`, `1.5 s`, `20 ms`. */
export const durationNote = (millis: Millis): string => {
  if (millis < 1_000) return `${millis} ms`;
  if (millis <= 600_000 || millis % 60_000 !== 0) return `${millis / 1_000} s`;
  const minutes = millis / 60_000;
  const hours = Math.floor(minutes / 60);
  if (hours === 0) return `${minutes} min`;
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
};

const MAPPING_NOTES = { preserving: 'ports kept', random: 'random ports' } as const;

/** The value in words, for reports: `ports kept, idle 300 s, silent`. */
export const natNote = (nat: Nat): string => {
  const mapping =
    nat.mapping.kind === 'range' ? `${nat.mapping.ports} ports` : MAPPING_NOTES[nat.mapping.kind];
  const parts = [mapping, `idle ${durationNote(nat.idle.establishedMillis)}`, nat.idle.notify];
  if (nat.mapping.kind === 'range') parts.push(`when full ${nat.exhaustion}`);
  if (nat.filtering !== 'address-and-port-dependent') parts.push(`filtering ${nat.filtering}`);
  if (nat.unsolicited === 'reset') parts.push('refuses from outside');
  if (nat.depth === 2) parts.push('behind a carrier NAT');
  if (nat.hairpin) parts.push('hairpin');
  return parts.join(', ');
};

/** First port of a range; a gateway's own connections leave from ports above 32768 on Linux. */
const RANGE_FIRST_PORT = 20_000;
/** Larger blocks start at 1024, so that more than one of them fits. */
const SMALL_RANGE = 4_096;

/**
 * The ports a range of `ports` stands for, the same in both forms: from 20000 on, large ones from 1024 on.
 * @param block which subscriber's block behind one carrier-grade NAT, from 0 (RFC 6888 §3, REQ-4)
 * @throws RangeError when the block does not fit below 65536
 */
export const portRange = (ports: number, block = 0): { readonly first: number; readonly last: number } => {
  const lowest = ports <= SMALL_RANGE ? RANGE_FIRST_PORT : 1_024;
  const first = lowest + ports * block;
  const last = first + ports - 1;
  if (last > 65_535)
    throw new RangeError(`block ${block} of ${ports} ports does not fit; take smaller blocks`);
  return { first, last };
};
