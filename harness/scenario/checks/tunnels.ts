/** How each user was served: joined with a service, every end passed on, at once. */

import type { Analysis } from '../../measure/analysis.ts';
import type { EventOf, TraceEvent } from '../../trace/trace.ts';
import type { Finding, Step } from '../../verdict/verdict.ts';
import { type Check, count, type Judging, proof, Tally } from './check.ts';
import { type Tunnel, TunnelBook } from './tunnel-book.ts';

/** A pool that is polled once a second serves after half of that in the middle; "at once" is far below. */
const AT_ONCE_MICROS = 400_000;
/** Fewer users say nothing about a middle. */
const USERS_MIN = 8;
/** The relay is told of an end in milliseconds; the service of an abort may hear of it this late. */
const TOLD_MICROS = 3_000_000;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
const millis = (micros: number): string => `${Math.round(micros / 1000)} ms`;

const UNSERVED = {
  pool: 'PORT-POOL-5',
  event: 'PORT-EVENT-3',
  multiplex: 'PORT-MUX-1',
  forwarder: 'PORT-MUX-1',
} as const;

class Tunnels implements Judging {
  readonly #book: TunnelBook;
  readonly #analysis: Analysis;
  readonly #strangers: EventOf<'ledger.span'>[] = [];
  /** Pool users that waited until their patience was over. */
  readonly #hanging: Tunnel[] = [];

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
    this.#book = new TunnelBook(analysis);
  }

  event(event: TraceEvent): void {
    this.#book.event(event);
    if (event.type === 'ledger.span' && event.tunnel < 0) this.#strangers.push(event);
  }

  findings(): readonly Finding[] {
    const early = new Tally('PORT-CTRL-3', "the user's first bytes arrive first and whole");
    const half = new Tally('PORT-END-1', 'the service learns the end, its answer reaches the user, then FIN');
    const full = new Tally('PORT-END-2', 'every byte of the service, then its end');
    const abort = new Tally('PORT-END-3', 'the service learns that it is over');
    const stays = new Tally('PORT-END-4', 'RST');
    const joined = new Map(
      Object.values(UNSERVED).map((clause) => [
        clause,
        new Tally(clause, 'the user is joined with the service'),
      ]),
    );
    for (const tunnel of this.#book.tunnels.values()) {
      if (!this.#book.undisturbed(tunnel)) continue;
      const mine = joined.get(UNSERVED[tunnel.opened.mode]);
      if (tunnel.served === undefined) {
        const { mode } = tunnel.opened;
        if (mode === 'pool' && tunnel.user?.gotEnd === 'timeout') this.#hanging.push(tunnel);
        else
          mine?.bad(how(tunnel), evidence(tunnel, 'no service ever saw this user'), ladder(tunnel, 'joined'));
        continue;
      }
      mine?.good();
      early.good();
      this.#ends(tunnel, { half, full, abort, stays });
    }
    for (const span of this.#strangers.slice(0, 20))
      early.bad(`0x${span.hex.slice(0, 32)}`, [
        proof(span, 'a service was handed bytes that start no request'),
      ]);
    return [
      early.finding(
        (n) => `the first bytes of ${count(n, 'user')} arrived whole`,
        (b) => `${count(b, 'service connection')} began with bytes that are not the user's first`,
        'no tunnel was free of faults',
      ),
      half.finding(
        (n) => `${n} answers reached users that had ended their half`,
        (b, n) => `in ${b} of ${n} tunnels the answer was lost after the user's half-close`,
        'no user half-closed undisturbed',
      ),
      full.finding(
        (n) => `the service's end reached ${count(n, 'user')}`,
        (b, n) => `in ${b} of ${n} tunnels the service's end or bytes before it did not reach the user`,
        'no service ended first undisturbed',
      ),
      abort.finding(
        (n) => `${n} aborts ended the service's side`,
        (b, n) => `${b} of ${n} aborted users left their service hanging`,
        'no user aborted undisturbed',
      ),
      stays.finding(
        (n) => `${n} aborts arrived as RST`,
        (b, n) => `${b} of ${n} aborts arrived as a clean end`,
        'no user aborted undisturbed',
      ),
      ...[...joined.values()].map((tally) =>
        tally.finding(
          (n) => `${count(n, 'user')} joined with the service`,
          (b, n) => `${b} of ${count(n, 'user')} were not served though nothing was in the way`,
          'no user of this mode was free of faults',
        ),
      ),
      this.#atOnce(),
    ];
  }

  #ends(tunnel: Tunnel, tallies: Record<'half' | 'full' | 'abort' | 'stays', Tally>): void {
    const { opened, user, service } = tunnel;
    if (user === undefined) return;
    if (opened.close === 'abort' && user.sentEnd === 'rst') {
      if (service !== undefined) {
        tallies.abort.good();
        if (service.gotEnd === 'rst') tallies.stays.good();
        else tallies.stays.bad(service.gotEnd, evidence(tunnel, `the service saw ${service.gotEnd}`));
      } else if (this.#analysis.endMicros - user.t > TOLD_MICROS)
        tallies.abort.bad(
          'nothing',
          evidence(tunnel, 'the user reset, the service still waits'),
          ladder(tunnel, 'RST'),
        );
      return;
    }
    const tally = opened.close === 'half' ? tallies.half : tallies.full;
    const whole = user.received === opened.down && user.gotEnd === 'fin';
    const told = opened.close !== 'half' || service === undefined || service.received >= user.sent;
    if (whole && told) tally.good();
    else
      tally.bad(
        how(tunnel),
        evidence(tunnel, `the user got ${user.received} of ${opened.down} bytes, then ${user.gotEnd}`),
        ladder(tunnel, 'the answer'),
      );
  }

  /** Time from connected to the first byte of the answer on clean links, pool against the other modes of the same run. */
  #atOnce(): Finding {
    const waits = { pool: [] as number[], other: [] as number[] };
    let slowest: Tunnel | undefined;
    for (const tunnel of this.#book.tunnels.values()) {
      const { opened, connected, firstByte } = tunnel;
      if (opened.close === 'half' || connected === undefined || firstByte === undefined) continue;
      const site = this.#analysis.facts.sites.find(({ name }) => name === this.#book.siteOf(tunnel));
      if (site?.link !== 'clean' || !this.#book.undisturbed(tunnel)) continue;
      const wait = firstByte.t - connected.t;
      waits[opened.mode === 'pool' ? 'pool' : 'other'].push(wait);
      const before = slowest === undefined ? -1 : (slowest.firstByte?.t ?? 0) - (slowest.connected?.t ?? 0);
      if (opened.mode === 'pool' && wait > before) slowest = tunnel;
    }
    const [pool, other] = [median(waits.pool), median(waits.other)];
    const expected = `first byte within ${millis(AT_ONCE_MICROS)} in the middle, on clean links`;
    const got = `${millis(pool)} in the middle (other modes ${millis(other)})`;
    const common = {
      clause: 'PORT-POOL-4',
      expected,
      got,
      exercised: waits.pool.length,
      evidence: [],
      ladder: [],
    };
    const [hung] = this.#hanging;
    if (hung !== undefined) {
      const summary = `${count(this.#hanging.length, 'pool user')} waited in vain although the pool was alive`;
      const shown = evidence(hung, 'waited until its patience was over');
      return {
        ...common,
        verdict: 'fail',
        blame: 'target',
        broken: this.#hanging.length,
        summary,
        evidence: shown,
      };
    }
    if (waits.pool.length < USERS_MIN)
      return {
        ...common,
        verdict: 'not-applicable',
        blame: undefined,
        broken: 0,
        summary: 'too few undisturbed pool users on clean links',
      };
    if (pool <= AT_ONCE_MICROS)
      return {
        ...common,
        verdict: 'pass',
        blame: undefined,
        broken: 0,
        summary: `pool users had their first byte after ${millis(pool)} in the middle`,
      };
    if (other > AT_ONCE_MICROS / 2)
      return {
        ...common,
        verdict: 'inconclusive',
        blame: 'environment',
        broken: 0,
        summary: `everything is slow here: ${got}`,
      };
    const broken = waits.pool.filter((wait) => wait > AT_ONCE_MICROS).length;
    const summary = `pool users wait ${millis(pool)} in the middle although connections are waiting`;
    const shown = slowest === undefined ? [] : evidence(slowest, 'served late');
    return { ...common, verdict: 'fail', blame: 'target', broken, summary, evidence: shown };
  }
}

const how = ({ user }: Tunnel): string => `${user?.received ?? 0} bytes, then ${user?.gotEnd ?? 'nothing'}`;

const evidence = (tunnel: Tunnel, text: string) => {
  const events: (TraceEvent | undefined)[] = [tunnel.opened, tunnel.served, tunnel.service, tunnel.user];
  return events
    .filter((event) => event !== undefined)
    .map((event) =>
      proof(
        event,
        event === tunnel.user ? `tunnel ${tunnel.opened.tunnel}: ${text}` : said(event),
        event === tunnel.user,
      ),
    );
};

const said = (event: TraceEvent): string => {
  if (event.type === 'tunnel.opened')
    return event.side === 'user'
      ? `dials the ${event.mode} port of ${event.client} (${event.up} up, ${event.down} down, ${event.close})`
      : 'serves it';
  if (event.type === 'tunnel.done')
    return `sent ${event.sent} (${event.sentEnd}), received ${event.received} (${event.gotEnd})`;
  return event.type;
};

/** The conversation as arrows, up to what did not come. */
const ladder = (tunnel: Tunnel, missing: string): readonly Step[] => {
  const { opened, connected, served, service, user } = tunnel;
  const steps: Step[] = [{ from: 'user', to: 'relay', text: 'SYN', t: opened.t, kind: 'seen' }];
  const half = opened.close === 'half' ? ', FIN' : '';
  if (connected !== undefined)
    steps.push({
      from: 'user',
      to: 'relay',
      text: `request, ${opened.up} B${half}`,
      t: connected.t,
      kind: 'seen',
    });
  if (served !== undefined)
    steps.push({ from: 'relay', to: 'client', text: 'request', t: served.t, kind: 'seen' });
  if (user !== undefined && user.sentEnd === 'rst')
    steps.push({ from: 'user', to: 'relay', text: 'RST', t: user.t, kind: 'seen' });
  else if (user !== undefined)
    steps.push({
      from: 'relay',
      to: 'user',
      text: `${user.received} B, then ${user.gotEnd}`,
      t: user.t,
      kind: 'wrong',
    });
  if (service !== undefined && service.sent > 0)
    steps.push({
      from: 'client',
      to: 'relay',
      text: `answer, ${service.sent} B`,
      t: service.t,
      kind: 'seen',
    });
  const to = missing === 'the answer' ? 'user' : 'client';
  return [
    ...steps,
    { from: 'relay', to, text: `expected: ${missing}`, t: user?.t ?? opened.t, kind: 'missing' },
  ];
};

export const tunnels: Check = {
  name: 'tunnels',
  clauses: [
    'PORT-CTRL-3',
    'PORT-END-1',
    'PORT-END-2',
    'PORT-END-3',
    'PORT-END-4',
    'PORT-POOL-4',
    ...new Set(Object.values(UNSERVED)),
  ],
  start: (analysis) => new Tunnels(analysis),
};
