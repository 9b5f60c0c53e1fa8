/** What the relay process holds, before and after. */

import type { Analysis } from '../../measure/analysis.ts';
import type { EventOf, TraceEvent } from '../../trace/trace.ts';
import type { Finding } from '../../verdict/verdict.ts';
import { type Check, count, type Judging, proof } from './check.ts';

/** Descriptors a process may open for itself meanwhile (a timer, a log). */
const FDS_SLACK = 4;
/** Pools refill one by one, so this share of the pooled connections may be on its way. */
const REFILL_SHARE = 0.05;
const ROUNDS_MIN = 5;
/** Declared bound of growth over the rounds of one run. */
const RSS_GROWTH_BYTES = 64 * 1024 * 1024;

/** Share of the fleet that must be registered at the first look, for what it holds a client to be known. */
const FLEET_SHARE_MIN = 0.8;

/** How many may be open when the relay is looked at; a relay may need six descriptors for one. */
const TUNNEL_FDS = 6;
/** A registration whose client is gone may live this long: the keepalive that notices, and the grace time of its pool. */
const STALE_MICROS = 20_000_000;

type Look = {
  readonly books: EventOf<'audit.relay'>;
  readonly registered: number;
  /** Users' tunnels open at that moment. */
  readonly tunnels: number;
  /** Registrations that the relay may still hold for clients that are gone. */
  readonly stale: number;
};

class AuditJudge implements Judging {
  readonly #analysis: Analysis;
  readonly #audits: EventOf<'audit.relay'>[] = [];
  readonly #registered = new Set<string>();
  readonly #pools = new Set<string>();
  readonly #open = new Set<number>();
  /** When clients were lost, or left, since the relay was started last. */
  #gone: number[] = [];
  #before: Look | undefined;
  #after: Look | undefined;

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  event(event: TraceEvent): void {
    switch (event.type) {
      case 'client.registered':
        this.#registered.add(event.who);
        if (event.mode === 'pool') this.#pools.add(event.who);
        return;
      case 'client.lost':
        this.#registered.delete(event.who);
        if (event.why !== 'refused') this.#gone.push(event.t);
        return;
      case 'client.stopped':
        this.#registered.delete(event.who);
        // A pool lives on for its grace time, in case somebody joins it.
        if (this.#pools.has(event.who)) this.#gone.push(event.t);
        return;
      case 'tunnel.opened':
        if (event.side === 'user') this.#open.add(event.tunnel);
        return;
      case 'tunnel.done':
        if (event.side === 'user') this.#open.delete(event.tunnel);
        return;
      case 'fault.ended':
        // A relay that was killed holds nothing of before.
        if (event.site === '') this.#gone = [];
        return;
      case 'audit.relay':
        return this.#look(event);
    }
  }

  #look(books: EventOf<'audit.relay'>): void {
    const stale = this.#gone.filter((t) => books.t - t < STALE_MICROS).length;
    const registered = this.#analysis.crowd.up ?? this.#registered.size;
    const look = { books, registered, tunnels: this.#open.size, stale };
    if (books.moment === 'before') this.#before = look;
    else if (books.moment === 'after') this.#after = look;
    this.#audits.push(books);
  }

  findings(): readonly Finding[] {
    return [this.#descriptors(), this.#ports(), this.#memory()];
  }

  #descriptors(): Finding {
    const [before, after] = [this.#before, this.#after];
    const base = {
      clause: 'AUDIT-FD-1',
      ladder: [],
      expected: 'as many descriptors as before, by the clients registered',
    };
    if (
      before === undefined ||
      after === undefined ||
      before.books.fds < 0 ||
      after.books.fds < 0 ||
      before.registered === 0
    )
      return { ...base, ...unknown('the relay process cannot be read from outside here') };
    // a handful of early clients says too little about what each of many needs
    if (before.registered < FLEET_SHARE_MIN * after.registered)
      return {
        ...base,
        ...unknown(
          `only ${before.registered} of ${after.registered} clients were registered when the relay was looked at first`,
        ),
        verdict: 'inconclusive',
        blame: 'environment',
      };
    const per = before.books.fds / before.registered;
    const kept = per * (after.registered + after.stale) + TUNNEL_FDS * after.tunnels;
    const allowed = Math.ceil(kept + FDS_SLACK + before.books.fds * REFILL_SHARE);
    const good = after.books.fds <= allowed;
    const open = after.tunnels === 0 ? '' : ` and ${count(after.tunnels, 'tunnel')}`;
    const got = `${after.books.fds} with ${count(after.registered, 'client')}${open} at the end, ${before.books.fds} with ${before.registered} at the start`;
    return {
      ...base,
      verdict: good ? 'pass' : 'fail',
      blame: good ? undefined : 'target',
      summary: good ? `descriptors: ${got}` : `the relay keeps descriptors: ${got}`,
      got,
      exercised: 1,
      broken: good ? 0 : 1,
      evidence: [
        proof(before.books, `${before.books.fds} descriptors`, false),
        proof(after.books, `${after.books.fds} descriptors`, !good),
      ],
    };
  }

  #ports(): Finding {
    const after = this.#after;
    const base = {
      clause: 'AUDIT-PORT-1',
      ladder: [],
      expected: 'one listening port a registration, and the control port',
    };
    if (after === undefined || after.books.listening < 0)
      return { ...base, ...unknown('listening ports cannot be read from outside here') };
    // What it listened on besides at the start is its own: a port for metrics, say.
    const before = this.#before;
    const own = before === undefined ? 0 : Math.max(0, before.books.listening - before.registered - 1);
    const allowed = after.registered + 1 + own + after.stale;
    const good = after.books.listening <= allowed;
    const got = `${count(after.books.listening, 'listening port')} with ${after.registered} registered`;
    return {
      ...base,
      verdict: good ? 'pass' : 'fail',
      blame: good ? undefined : 'target',
      summary: good ? `ports: ${got}` : `the relay keeps ports open: ${got}`,
      got,
      exercised: 1,
      broken: good ? 0 : 1,
      evidence: [proof(after.books, got, !good)],
    };
  }

  #memory(): Finding {
    const base = {
      clause: 'AUDIT-RSS-1',
      ladder: [],
      evidence: [],
      expected: `no steady growth beyond ${RSS_GROWTH_BYTES / 1024 / 1024} MiB over ${ROUNDS_MIN} rounds`,
    };
    const rounds = this.#audits
      .filter(({ rssBytes, moment }) => rssBytes >= 0 && moment !== 'after')
      .map(({ rssBytes }) => rssBytes);
    const [first] = rounds;
    if (first === undefined || rounds.length < ROUNDS_MIN)
      return { ...base, ...unknown('resident memory was not read often enough') };
    const rising = rounds.every((rss, i) => i === 0 || rss >= (rounds[i - 1] ?? 0));
    const growth = (rounds.at(-1) ?? first) - first;
    const good = !rising || growth <= RSS_GROWTH_BYTES;
    const got = `${(first / 1e6).toFixed(0)} to ${((rounds.at(-1) ?? 0) / 1e6).toFixed(0)} MB over ${rounds.length} rounds`;
    return {
      ...base,
      verdict: good ? 'pass' : 'fail',
      blame: good ? undefined : 'target',
      summary: `memory: ${got}`,
      got,
      exercised: rounds.length,
      broken: good ? 0 : 1,
    };
  }
}

const unknown = (summary: string) =>
  ({
    verdict: 'not-applicable',
    blame: undefined,
    summary,
    got: '',
    exercised: 0,
    broken: 0,
    evidence: [],
  }) as const;

export const audit: Check = {
  name: 'audit',
  clauses: ['AUDIT-FD-1', 'AUDIT-PORT-1', 'AUDIT-RSS-1'],
  start: (analysis) => new AuditJudge(analysis),
};
