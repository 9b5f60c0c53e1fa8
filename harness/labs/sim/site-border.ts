/** A site's gateway and line in one, for worlds too large to give every site a NAT and a link of its own. */
import type { Fault } from 'chaos-proxy';
import type { Border } from '../../../reference-impl/drivers/sim-border.ts';
import type { Address, Millis } from '../../../reference-impl/machine/machine.ts';
import { type Rng, rngFor } from '../../../reference-impl/machine/rng.ts';
import { PortTable } from '../../nat/port-table.ts';
import type { Site } from '../topology.ts';

type Way = 'out' | 'in';
type Line = {
  latencyMillis: Millis;
  jitterMillis: Millis;
  /** Bytes a millisecond; Infinity: no limit. */
  rateOut: number;
  rateIn: number;
  lossRatio: number;
  rtoMillis: Millis;
  /** Nothing leaves in the first `stallOnMillis` of every `stallCycleMillis` from `stallSinceMillis` on; 0: never. */
  stallOnMillis: Millis;
  stallCycleMillis: Millis;
  stallSinceMillis: Millis;
};

const SEGMENT_BYTES = 1_460;
const RTO_MILLIS = 200;
const TRIES_MAX = 6;

/** Takes a fault into the line. @returns false: it does more than a line knows */
const laid = (line: Line, fault: Fault): boolean => {
  const { selector, forMillis, direction = 'both', when, kind } = fault;
  if (selector !== undefined || forMillis !== undefined) return false;
  const since = when === undefined ? 0 : 'afterMillis' in when && kind === 'stall' ? when.afterMillis : -1;
  if (since < 0) return false;
  switch (kind) {
    case 'latency':
      if (direction !== 'both' || (fault.dist ?? 'uniform') !== 'uniform' || fault.correlation) return false;
      if (line.latencyMillis > 0 || (fault.jitter ?? 0) > fault.ms) return false;
      line.latencyMillis = fault.ms;
      line.jitterMillis = fault.jitter ?? 0;
      return true;
    case 'bandwidth':
      if (fault.scope !== 'link' || fault.burst) return false;
      if (direction !== 'down') line.rateOut = Math.min(line.rateOut, fault.rate / 1_000);
      if (direction !== 'up') line.rateIn = Math.min(line.rateIn, fault.rate / 1_000);
      return true;
    case 'lossLike':
      if (direction !== 'both' || fault.burst || fault.correlation || line.lossRatio > 0) return false;
      line.lossRatio = fault.ratio;
      line.rtoMillis = fault.rtoMs ?? RTO_MILLIS;
      return true;
    case 'stall':
      if (direction !== 'both' || fault.offMs === undefined || line.stallOnMillis > 0) return false;
      line.stallOnMillis = fault.onMs;
      line.stallCycleMillis = fault.onMs + fault.offMs;
      line.stallSinceMillis = since;
      return true;
    default:
      return false;
  }
};

const NO_LINE: Line = {
  latencyMillis: 0,
  jitterMillis: 0,
  rateOut: Number.POSITIVE_INFINITY,
  rateIn: Number.POSITIVE_INFINITY,
  lossRatio: 0,
  rtoMillis: RTO_MILLIS,
  stallOnMillis: 0,
  stallCycleMillis: 0,
  stallSinceMillis: 0,
};

const lineOf = (faults: readonly Fault[]): Line | undefined => {
  const line = { ...NO_LINE };
  return faults.every((fault) => laid(line, fault)) ? line : undefined;
};

/**
 * Ports are given as the NAT's own table gives them (and run out as its does); bytes take the line's latency, jitter, rate,
 * retransmissions and stalls. What it does not do: forget a mapping (keepalive comes before the idle time, or the site is not
 * one of these), filter, hairpin; faults of a timeline. Differs from link and NAT as hosts in this: a dial is answered after a
 * round trip and not by the link, and chance comes from one stream for the site instead of one for each connection.
 */
export class SiteBorder implements Border {
  readonly #line: Line;
  readonly #ports: PortTable;
  readonly #exhaustion: 'silent' | 'refused' | 'unreachable';
  readonly #publicHost: string;
  readonly #rng: Rng;
  readonly latencyMillis: Millis;
  #outFreeAt = 0;
  #inFreeAt = 0;

  /** @throws Error for a site that `hasBorder` says no to */
  constructor(site: Site, publicHost: string, seed: number) {
    const line = lineOf(site.link.faults);
    if (line === undefined) throw new Error(`${site.name}: its link does more than a border knows`);
    this.#line = line;
    this.#rng = rngFor(seed, `${site.name}/border`);
    this.#ports = new PortTable(site.nat.value.mapping, this.#rng);
    const { exhaustion } = site.nat.value;
    this.#exhaustion = exhaustion === 'silent' ? 'silent' : exhaustion === 'rst' ? 'refused' : 'unreachable';
    this.#publicHost = publicHost;
    this.latencyMillis = Math.floor(line.latencyMillis);
  }

  out(from: Address): Address | 'silent' | 'refused' | 'unreachable' {
    const port = this.#ports.take(from.port);
    return port === undefined ? this.#exhaustion : { host: this.#publicHost, port };
  }

  over(port: number): void {
    this.#ports.release(port, false);
  }

  through(at: Millis, way: Way, bytes: number): Millis {
    const line = this.#line;
    let due = at;
    if (line.latencyMillis > 0) {
      due += line.latencyMillis;
      if (line.jitterMillis > 0) due += line.jitterMillis * (2 * this.#rng.unit() - 1);
    }
    if (way === 'out') {
      if (line.rateOut !== Number.POSITIVE_INFINITY) {
        if (this.#outFreeAt > due) due = this.#outFreeAt;
        due += bytes / line.rateOut;
        this.#outFreeAt = due;
      }
    } else if (line.rateIn !== Number.POSITIVE_INFINITY) {
      if (this.#inFreeAt > due) due = this.#inFreeAt;
      due += bytes / line.rateIn;
      this.#inFreeAt = due;
    }
    if (line.lossRatio > 0 && bytes > 0) due += this.#retransmissions(bytes);
    return line.stallOnMillis > 0 ? unstalled(line, due) : due;
  }

  /** The longest wait among its segments: those behind a lost one wait for it. */
  #retransmissions(bytes: number): Millis {
    const { lossRatio, rtoMillis } = this.#line;
    let longest = 0;
    for (let left = bytes; left > 0; left -= SEGMENT_BYTES) {
      let waits = 0;
      for (let tries = 0, rto = rtoMillis; tries < TRIES_MAX && this.#rng.unit() < lossRatio; tries++) {
        waits += rto;
        rto *= 2;
      }
      if (waits > longest) longest = waits;
    }
    return longest;
  }
}

const unstalled = (line: Line, due: Millis): Millis => {
  const since = due - line.stallSinceMillis;
  if (since < 0) return due;
  const inCycle = since % line.stallCycleMillis;
  return inCycle < line.stallOnMillis ? due - inCycle + line.stallOnMillis : due;
};

/** Whether a border can stand for this site's NAT and link: its mappings never idle out, and its line is one it knows. */
export const hasBorder = (site: Site, keepaliveMillis: Millis): boolean =>
  keepaliveMillis > 0 &&
  keepaliveMillis < site.nat.value.idle.establishedMillis &&
  lineOf(site.link.faults) !== undefined;
