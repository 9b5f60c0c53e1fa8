/** How each user was served: joined with a service, and every end passed on. */
import type { Analysis } from '../../measure/analysis.ts';
import { decodeRequest, locate, REQUEST_BYTES } from '../../measure/payload.ts';
import type { EventOf, TraceEvent } from '../../trace/trace.ts';
import type { Finding } from '../../verdict/verdict.ts';
import { atOnce } from './at-once.ts';
import { type Check, count, type Judging, proof, Tally } from './check.ts';
import { type Tunnel, TunnelBook } from './tunnel-book.ts';
import { evidence, how, ladder } from './tunnel-words.ts';

/** The service of an abort may hear of it this late. */
const TOLD_MICROS = 3_000_000;
/** Whoever is not joined after this long, with nothing in the way, is not waiting but forgotten. */
const FORGOTTEN_MICROS = 5_000_000;
const STRANGERS_MAX = 20;
/** First bytes of a user's request ("RLAB"). */
const REQUEST = '524c4142';

const CLAUSES = [
  'PORT-CTRL-3',
  'PORT-END-1',
  'PORT-END-2',
  'PORT-END-3',
  'PORT-END-4',
  'PORT-POOL-2',
  'PORT-POOL-5',
  'PORT-EVENT-2',
  'PORT-EVENT-3',
  'PORT-MUX-1',
] as const;
type Clause = (typeof CLAUSES)[number];

const JOINED = 'the user is joined with the service';
const EXPECTED: Readonly<Record<Clause, string>> = {
  'PORT-CTRL-3': "the user's first bytes arrive first and whole",
  'PORT-END-1': 'the service learns the end, its answer reaches the user, then FIN',
  'PORT-END-2': 'every byte of the service, then its end',
  'PORT-END-3': 'the service learns that it is over',
  'PORT-END-4': 'RST',
  'PORT-POOL-2': "nothing before a user's first bytes",
  'PORT-POOL-5': JOINED,
  'PORT-EVENT-2': 'an id line for every user',
  'PORT-EVENT-3': JOINED,
  'PORT-MUX-1': JOINED,
};

const SAYS: Readonly<
  Record<Clause, readonly [pass: (n: number) => string, fail: (b: number, n: number) => string, none: string]>
> = {
  'PORT-CTRL-3': [
    (n) => `the first bytes of ${count(n, 'user')} arrived whole`,
    (b, n) => `the first bytes of ${b} of ${count(n, 'user')} did not arrive first and whole`,
    'no tunnel was free of faults',
  ],
  'PORT-END-1': [
    (n) => `${count(n, 'answer')} reached users that had ended their half`,
    (b, n) => `in ${b} of ${count(n, 'tunnel')} the answer was lost after the user's half-close`,
    'no user half-closed undisturbed',
  ],
  'PORT-END-2': [
    (n) => `the service's end reached ${count(n, 'user')}`,
    (b, n) => `in ${b} of ${count(n, 'tunnel')} the service's end or bytes before it did not reach the user`,
    'no service ended first undisturbed',
  ],
  'PORT-END-3': [
    (n) => `${count(n, 'abort')} ended the service's side`,
    (b, n) => `${b} of ${count(n, 'aborted user')} left their service hanging`,
    'no user aborted undisturbed',
  ],
  'PORT-END-4': [
    (n) => `${count(n, 'abort')} arrived as RST`,
    (b, n) => `${b} of ${count(n, 'abort')} arrived as a clean end`,
    'no user aborted undisturbed',
  ],
  'PORT-POOL-2': [
    () => '',
    (b) => `${count(b, 'pooled connection')} began with words of the relay before the user's`,
    'no pooled connection began with anything but its user',
  ],
  'PORT-POOL-5': joinedWords('pool'),
  'PORT-EVENT-2': [
    () => '',
    (b) => `${count(b, 'user')} of event listeners were never announced`,
    'no user of an event listener went unannounced',
  ],
  'PORT-EVENT-3': joinedWords('event'),
  'PORT-MUX-1': joinedWords('multiplex'),
};

function joinedWords(mode: string) {
  return [
    (n: number) => `${count(n, `${mode} user`)} joined with the service`,
    (b: number, n: number) =>
      `${b} of ${count(n, `${mode} user`)} were not served though nothing was in the way`,
    `no ${mode} user was free of faults`,
  ] as const;
}

type Tallies = Readonly<Record<Clause, Tally>>;

/** What a service was handed that starts no request: whose it is, and what stands before it. */
type Stranger = {
  readonly span: EventOf<'ledger.span'>;
  readonly tunnel: number | undefined;
  readonly prefix: number;
};

const strangerOf = (span: EventOf<'ledger.span'>): Stranger => {
  const bytes = new Uint8Array(Buffer.from(span.hex, 'hex'));
  for (let at = span.hex.indexOf(REQUEST); at >= 0; at = span.hex.indexOf(REQUEST, at + 1)) {
    if (at % 2 !== 0 || at / 2 + REQUEST_BYTES > bytes.length) continue;
    const request = decodeRequest(bytes.subarray(at / 2, at / 2 + REQUEST_BYTES));
    if (request !== undefined) return { span, tunnel: request.tunnel, prefix: at / 2 };
  }
  return { span, tunnel: locate(bytes, 0)?.tunnel, prefix: 0 };
};

class Tunnels implements Judging {
  readonly #book = new TunnelBook();
  readonly #analysis: Analysis;
  readonly #strangers: Stranger[] = [];

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  event(event: TraceEvent): void {
    this.#book.event(event);
    if (event.type === 'ledger.span' && event.tunnel < 0) this.#strangers.push(strangerOf(event));
  }

  findings(): readonly Finding[] {
    const tallies = Object.fromEntries(
      CLAUSES.map((clause) => [clause, new Tally(clause, EXPECTED[clause])]),
    ) as unknown as Tallies;
    const strange = this.#judgeStrangers(tallies);
    const unserved: Tunnel[] = [];
    for (const tunnel of this.#book.tunnels.values()) {
      if (tunnel.served === undefined) {
        if (!strange.has(tunnel.opened.tunnel) && this.#forgotten(tunnel)) unserved.push(tunnel);
      } else if (this.#book.undisturbed(tunnel)) {
        tallies[clauseOfMode(tunnel)].good();
        tallies['PORT-CTRL-3'].good();
        this.#ends(tunnel, tallies);
      }
    }
    const hanging = this.#judgeUnserved(unserved, tallies);
    return [
      ...CLAUSES.map((clause) => tallies[clause].finding(...SAYS[clause])),
      atOnce(this.#book, this.#analysis, hanging),
    ];
  }

  /** @returns the tunnels whose bytes a service was handed as something else */
  #judgeStrangers(tallies: Tallies): ReadonlySet<number> {
    const strange = new Set<number>();
    for (const { span, tunnel, prefix } of this.#strangers) {
      if (tunnel !== undefined) strange.add(tunnel);
      const mode = tunnel === undefined ? undefined : this.#book.tunnels.get(tunnel)?.opened.mode;
      const clause = prefix > 0 && mode === 'pool' ? 'PORT-POOL-2' : 'PORT-CTRL-3';
      if (tallies[clause].broken === STRANGERS_MAX) continue;
      const what =
        prefix > 0
          ? `${count(prefix, 'byte')} stand before the request of tunnel ${tunnel}`
          : tunnel === undefined
            ? 'a service was handed bytes that start no request'
            : `a service was handed tunnel ${tunnel} without its request`;
      tallies[clause].bad(`0x${span.hex.slice(0, 32)}`, [proof(span, what)]);
    }
    return strange;
  }

  /** No service saw this user, and nothing the lab did can be the reason. */
  #forgotten(tunnel: Tunnel): boolean {
    const { connected, user, probe } = tunnel;
    const ended =
      user !== undefined && user.gotEnd !== 'timeout' && user.gotEnd !== 'none' && user.sentEnd !== 'rst';
    if (ended) return this.#book.undisturbed(tunnel);
    // Where the link itself is slow, a crowd of users may wait long without anybody's fault.
    if (connected === undefined || probe !== undefined || !this.#clean(tunnel)) return false;
    const quiet = this.#book.quietUntil(tunnel, user?.t ?? this.#analysis.endMicros);
    return quiet - connected.t >= FORGOTTEN_MICROS;
  }

  #clean(tunnel: Tunnel): boolean {
    const site = this.#book.siteOf(tunnel);
    return this.#analysis.facts.sites.find(({ name }) => name === site)?.link === 'clean';
  }

  /** @returns users of pools that waited in vain */
  #judgeUnserved(unserved: readonly Tunnel[], tallies: Tallies): readonly Tunnel[] {
    const hanging: Tunnel[] = [];
    const until = (tunnel: Tunnel): number => tunnel.user?.t ?? this.#analysis.endMicros;
    const inVain = new Set(unserved.filter((tunnel) => this.#book.joinedInVain(tunnel, until(tunnel))));
    // Joined, and ended in order without an answer: the service was given nothing but the user's end.
    const silent = unserved.some(
      (tunnel) => inVain.has(tunnel) && tunnel.user?.sentEnd === 'fin' && tunnel.user.gotEnd === 'fin',
    );
    for (const tunnel of unserved) {
      const { mode, client } = tunnel.opened;
      if (mode === 'pool' && (tunnel.user === undefined || tunnel.user.gotEnd === 'timeout')) {
        hanging.push(tunnel);
        continue;
      }
      const unannounced = mode === 'event' && this.#book.joinsOf(client) > 0 && !inVain.has(tunnel);
      const clause =
        inVain.has(tunnel) && silent ? 'PORT-CTRL-3' : unannounced ? 'PORT-EVENT-2' : clauseOfMode(tunnel);
      const text =
        clause === 'PORT-CTRL-3'
          ? 'joined with the service, which got none of its bytes'
          : unannounced
            ? 'its listener never heard of it'
            : 'no service ever saw this user';
      tallies[clause].bad(how(tunnel), evidence(tunnel, text), ladder(tunnel, 'joined'));
    }
    return hanging;
  }

  #ends(tunnel: Tunnel, tallies: Tallies): void {
    const { opened, user, service, misread } = tunnel;
    if (user === undefined) return;
    if (opened.close === 'abort' && user.sentEnd === 'rst') return this.#abort(tunnel, user, tallies);
    // A hole or a repetition is the ledger's matter: both ends may still be right.
    if (misread) return;
    const whole = user.received >= opened.down;
    const told = opened.close !== 'half' || service === undefined || service.received >= user.sent;
    const ended = user.gotEnd === 'fin';
    const clause = opened.close === 'half' && !(whole && told && !ended) ? 'PORT-END-1' : 'PORT-END-2';
    if (whole && told && ended) tallies[clause].good();
    else {
      const text = `the user got ${user.received} of ${opened.down} bytes, then ${user.gotEnd}`;
      const missing = whole ? "the service's end" : 'the answer';
      tallies[clause].bad(how(tunnel), evidence(tunnel, text), ladder(tunnel, missing));
    }
  }

  #abort(tunnel: Tunnel, user: EventOf<'tunnel.done'>, tallies: Tallies): void {
    const { service } = tunnel;
    if (service !== undefined) {
      tallies['PORT-END-3'].good();
      if (service.gotEnd === 'rst') tallies['PORT-END-4'].good();
      else tallies['PORT-END-4'].bad(service.gotEnd, evidence(tunnel, `the service saw ${service.gotEnd}`));
      return;
    }
    const told = user.t + TOLD_MICROS;
    if (this.#analysis.endMicros > told && this.#book.quietUntil(tunnel, told) === told)
      tallies['PORT-END-3'].bad(
        'nothing',
        evidence(tunnel, 'the user reset, the service still waits'),
        ladder(tunnel, 'RST'),
      );
  }
}

const clauseOfMode = ({ opened }: Tunnel): 'PORT-POOL-5' | 'PORT-EVENT-3' | 'PORT-MUX-1' =>
  opened.mode === 'pool' ? 'PORT-POOL-5' : opened.mode === 'event' ? 'PORT-EVENT-3' : 'PORT-MUX-1';

export const tunnels: Check = {
  name: 'tunnels',
  clauses: [...CLAUSES, 'PORT-POOL-4'],
  start: (analysis) => new Tunnels(analysis),
};
