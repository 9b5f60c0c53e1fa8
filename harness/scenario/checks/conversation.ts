/** The conversation of every watched registration, line by line, as the client saw it on its wire. */
import { locate } from '../../measure/payload.ts';
import type { EventOf, TraceEvent } from '../../trace/trace.ts';
import type { Finding } from '../../verdict/verdict.ts';
import { type Check, count, type Judging, proof, Tally } from './check.ts';

/** First bytes of a user's request ("RLAB"): what a data connection may start with. */
const REQUEST = '524c4142';
/** 40 bits: what the Go relay uses. Characters count by the narrowest alphabet they fit. */
const ID_BITS_MIN = 40;

/** A client that said nothing for this long would have heard a relay that speaks first. */
const SILENCE_MICROS = 500_000;
/** Fewer ids say nothing about a pattern. */
const IDS_MIN = 8;

type Talk = {
  connectedAt: number | undefined;
  firstOutAt: number | undefined;
  out: string;
  in: string;
  firstIn: EventOf<'conn.bytes'> | undefined;
  /** The first id line came in one piece with the port line, when nobody could know the port yet. */
  idWithPort: EventOf<'conn.bytes'> | undefined;
};

const silence = (): Talk => ({
  connectedAt: undefined,
  firstOutAt: undefined,
  out: '',
  in: '',
  firstIn: undefined,
  idWithPort: undefined,
});
const latin = (hex: string): string => Buffer.from(hex, 'hex').toString('latin1');
const bitsOf = (id: string): number =>
  id.length * (/^[0-9A-F]*$|^[0-9a-f]*$/.test(id) ? 4 : /^[0-9]*$/.test(id) ? 3.3 : 5);
const isPort = (text: string): boolean => /^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= 65_535;

/** How long a client may take from telling the relay that it leaves to saying so. */
const LEAVING_MICROS = 1_000_000;

class Conversations implements Judging {
  readonly #talks = new Map<string, Talk>();
  readonly #ids = new Map<string, TraceEvent>();
  readonly #first = new Tally('PORT-CTRL-1', 'nothing from the relay before the first line of the client');
  readonly #port = new Tally(
    'PORT-CTRL-2',
    'a decimal port from 1 to 65535, without sign or padding, and a newline',
  );
  readonly #pool = new Tally('PORT-POOL-1', 'the port line, then the id line');
  readonly #join = new Tally('PORT-POOL-2', "nothing before a user's first bytes");
  readonly #listener = new Tally('PORT-EVENT-1', 'the port line alone, then one line a user');
  readonly #announced = new Tally('PORT-EVENT-2', 'an id line that was never used before');
  readonly #id = new Tally('PORT-ID-1', 'an id of at least 40 bits that was never given before');
  /** No fault so far: only users that were told a port can know it. */
  #quiet = true;
  readonly #live = new Map<number, string>();
  /** A port that two seem to have. */
  readonly #doubles: { readonly holder: string; readonly event: EventOf<'client.registered'> }[] = [];
  readonly #own = new Tally('PORT-PORT-1', 'a port that no living registration has');

  event(event: TraceEvent): void {
    switch (event.type) {
      case 'conn.opened':
        if (event.role === 'dialled') this.#talks.set(`${event.who} ${event.conn}`, silence());
        return;
      case 'conn.connected': {
        const talk = this.#talks.get(`${event.who} ${event.conn}`);
        if (talk !== undefined) talk.connectedAt = event.t;
        return;
      }
      case 'conn.bytes':
        return this.#bytes(event);
      case 'conn.closed':
      case 'conn.reset':
        return this.#over(`${event.who} ${event.conn}`);
      case 'client.registered':
        return this.#registered(event);
      case 'client.lost':
      case 'client.stopped':
        if (event.type === 'client.stopped') this.#forgive(event);
        for (const [port, who] of this.#live) if (who === event.who) this.#live.delete(port);
        return;
      case 'host.crashed':
        if (event.who === 'relay') this.#live.clear();
        return;
      case 'fault.begun':
        this.#quiet = false;
        // After an outage the new relay knows nothing of old registrations; behind a fault of a site some may be dead while
        // the client does not know yet, and the relay may have given their ports to others.
        for (const [port, who] of this.#live)
          if (event.site === '' || who.startsWith(`${event.site}/`)) this.#live.delete(port);
        return;
    }
  }

  #registered(event: EventOf<'client.registered'>): void {
    const holder = this.#live.get(event.port);
    if (holder === undefined || holder === event.who) this.#own.good();
    else this.#doubles.push({ holder, event });
    this.#live.set(event.port, event.who);
  }

  /** Who leaves has told the relay before it says so here: its port may have been somebody else's for a moment already. */
  #forgive({ who, t }: EventOf<'client.stopped'>): void {
    const leaving = this.#doubles.findIndex(
      ({ holder, event }) => holder === who && t - event.t < LEAVING_MICROS,
    );
    if (leaving < 0) return;
    this.#doubles.splice(leaving, 1);
    this.#own.good();
  }

  #bytes(event: EventOf<'conn.bytes'>): void {
    const talk = this.#talks.get(`${event.who} ${event.conn}`);
    if (talk === undefined) return;
    if (event.dir === 'in') {
      talk.firstIn ??= event;
      if (this.#quiet && talk.firstIn === event && /^[^\n]*\n[^\n]+\n/.test(latin(event.hex)))
        talk.idWithPort = event;
      // Long segments are shown by their beginnings: what comes after a gap is not read on.
      if (event.offset === talk.in.length / 2) talk.in += event.hex;
    } else {
      talk.firstOutAt ??= event.t;
      if (event.offset === talk.out.length / 2) talk.out += event.hex;
    }
  }

  #over(key: string): void {
    const talk = this.#talks.get(key);
    this.#talks.delete(key);
    if (talk !== undefined) this.#judge(talk);
  }

  #judge(talk: Talk): void {
    const { firstIn, firstOutAt, connectedAt } = talk;
    if (firstIn !== undefined && (firstOutAt === undefined || firstIn.t < firstOutAt)) {
      const said = JSON.stringify(latin(firstIn.hex));
      this.#first.bad(`${said} before the client had said anything`, [
        proof(firstIn, 'the relay spoke first'),
      ]);
      return;
    }
    if (connectedAt !== undefined && firstOutAt !== undefined && firstOutAt - connectedAt >= SILENCE_MICROS)
      this.#first.good();
    const [mode = '', second] = latin(talk.out).split('\n');
    if (firstIn === undefined || !['pool', 'event', 'multiplex'].includes(mode)) return;
    if (mode === 'multiplex' || second === 'new') this.#registration(talk, mode, firstIn);
    else if (second !== undefined && mode === 'pool') this.#data(talk, firstIn);
  }

  #registration(talk: Talk, mode: string, firstIn: EventOf<'conn.bytes'>): void {
    const lines = latin(talk.in).split('\n');
    const port = lines[0] ?? '';
    if (lines.length < 2) return;
    if (isPort(port)) this.#port.good();
    else
      this.#port.bad(JSON.stringify(`${port}\n`), [
        proof(firstIn, `the port line is ${JSON.stringify(port)}`),
      ]);
    if (mode === 'pool') {
      const id = lines[1];
      if (lines.length < 3 || id === undefined) return;
      if (id !== '' && !id.startsWith('RLAB')) this.#pool.good();
      else this.#pool.bad(`"${id}" where the id should be`, [proof(firstIn, 'no id line')]);
      this.#newId(id, firstIn);
    } else if (mode === 'event') {
      if (talk.idWithPort === undefined) this.#listener.good();
      else
        this.#listener.bad(`the port and "${lines[1]}" at once`, [
          proof(talk.idWithPort, 'an id, although nobody could know the port yet'),
        ]);
      for (const id of lines.slice(1, -1)) this.#announce(id, firstIn);
    }
  }

  #announce(id: string, event: TraceEvent): void {
    if (this.#newId(id, event)) this.#announced.good();
    else this.#announced.bad(`id "${id}" again`, [proof(event, `announced by "${id}"`)]);
  }

  /** @returns whether it is new and long enough */
  #newId(id: string, event: TraceEvent): boolean {
    const before = this.#ids.get(id);
    this.#ids.set(id, event);
    if (id === '') return true;
    if (before !== undefined)
      this.#id.bad(`"${id}" for the second time`, [proof(before, 'first', false), proof(event, 'again')]);
    else if (bitsOf(id) < ID_BITS_MIN)
      this.#id.bad(`"${id}", about ${Math.floor(bitsOf(id))} bits`, [proof(event, 'a short id')]);
    else this.#id.good();
    return before === undefined;
  }

  #data(talk: Talk, firstIn: EventOf<'conn.bytes'>): void {
    // Payload without its request is a user's as well, and no reply: the tunnels check says what became of its head.
    if (locate(new Uint8Array(Buffer.from(talk.in, 'hex')), 0) !== undefined) return;
    // The first segment may hold less than the four bytes.
    if (talk.in.startsWith(REQUEST) || REQUEST.startsWith(talk.in)) this.#join.good();
    else this.#join.bad(`0x${talk.in.slice(0, 32)}`, [proof(firstIn, 'the first bytes are no user')]);
  }

  /** Counters and time stamps: ids of one length of which too little ever changes. */
  #patterns(): void {
    const byLength = Map.groupBy(this.#ids.keys(), (id) => id.length);
    for (const [length, ids] of byLength) {
      const [first = ''] = ids;
      const event = this.#ids.get(first);
      if (ids.length < IDS_MIN || bitsOf(first) < ID_BITS_MIN || event === undefined) continue;
      const varying = [...first].filter((char, at) => ids.some((id) => id[at] !== char)).length;
      const bits = (bitsOf(first) / length) * varying;
      if (bits >= ID_BITS_MIN) continue;
      const shown = ids.slice(0, 3).map((id) => `"${id}"`);
      this.#id.bad(`${shown.join(', ')}: ${varying} of ${length} characters ever change`, [
        proof(event, `${ids.length} ids have ${length - varying} characters in common`),
      ]);
    }
  }

  findings(): readonly Finding[] {
    for (const { holder, event } of this.#doubles.splice(0))
      this.#own.bad(`port ${event.port} was given to ${holder} and to ${event.who}`, [
        proof(event, `registered at ${event.port}`),
      ]);
    for (const key of [...this.#talks.keys()]) this.#over(key);
    this.#patterns();
    const first = this.#first.finding(
      (n) => `the client spoke first in ${count(n, 'conversation')} that gave the relay time to`,
      (b, n) => `the relay spoke first in ${b} of ${count(n, 'conversation')}`,
      'no watched client was silent for a while',
    );
    // One line too many at the beginning, and no other line can be told from its neighbour.
    if (first.verdict === 'fail') return [first];
    const registrations = (n: number): string => count(n, 'registration');
    return [
      first,
      this.#port.finding(
        (n) => `${registrations(n)} answered with a port`,
        (b, n) => `${b} of ${registrations(n)} answered with something that is no port`,
        'no registration was watched',
      ),
      this.#pool.finding(
        (n) => `${count(n, 'new pool')} got port and id`,
        (b, n) => `${b} of ${count(n, 'new pool')} got no id`,
        'no new pool was watched',
      ),
      this.#join.finding(
        (n) => `${count(n, 'added connection')} waited in silence for a user`,
        (b, n) => `${b} of ${count(n, 'added connection')} got a reply`,
        'no added connection was used',
      ),
      this.#listener.finding(
        (n) => `${count(n, 'listener')} got a port`,
        (b, n) => `${b} of ${count(n, 'listener')} got more than a port`,
        'no listener was watched',
      ),
      this.#announced.finding(
        (n) => `${count(n, 'user')} announced, each by its own id`,
        (b, n) => `${b} of ${n} announcements used an old id`,
        'no user of a watched listener',
      ),
      this.#id.finding(
        (n) => `${count(n, 'id')}, none twice`,
        (b, n) => `${b} of ${count(n, 'id')} could be guessed`,
        'no id was watched',
      ),
      this.#own.finding(
        (n) => `${registrations(n)}, no port given twice`,
        (b, n) => `${b} of ${registrations(n)} got the port of another`,
        'nobody registered',
      ),
    ];
  }
}

export const conversation: Check = {
  name: 'conversation',
  clauses: [
    'PORT-CTRL-1',
    'PORT-CTRL-2',
    'PORT-POOL-1',
    'PORT-POOL-2',
    'PORT-EVENT-1',
    'PORT-EVENT-2',
    'PORT-ID-1',
    'PORT-PORT-1',
  ],
  start: () => new Conversations(),
};
