/** The conversation of every watched registration, line by line, as the client saw it on its wire. */
import type { EventOf, TraceEvent } from '../../trace/trace.ts';
import { type Check, count, type Judging, proof, Tally } from './check.ts';

/** First bytes of a user's request ("RLAB"): what a data connection may start with. */
const REQUEST = '524c4142';
/** 40 bits: what the Go relay uses. Characters count by the narrowest alphabet they fit. */
const ID_BITS_MIN = 40;

type Talk = {
  readonly opened: EventOf<'conn.opened'>;
  out: string;
  in: string;
  firstIn: EventOf<'conn.bytes'> | undefined;
  outBeforeIn: boolean;
};

const latin = (hex: string): string => Buffer.from(hex, 'hex').toString('latin1');
const bitsOf = (id: string): number =>
  id.length * (/^[0-9A-F]*$|^[0-9a-f]*$/.test(id) ? 4 : /^[0-9]*$/.test(id) ? 3.3 : 5);
const isPort = (text: string): boolean => /^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= 65_535;

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
  readonly #live = new Map<number, string>();
  readonly #own = new Tally('PORT-PORT-1', 'a port that no living registration has');

  event(event: TraceEvent): void {
    switch (event.type) {
      case 'conn.opened':
        if (event.role === 'dialled')
          this.#talks.set(`${event.who} ${event.conn}`, {
            opened: event,
            out: '',
            in: '',
            firstIn: undefined,
            outBeforeIn: false,
          });
        return;
      case 'conn.bytes':
        return this.#bytes(event);
      case 'conn.closed':
      case 'conn.reset':
        return this.#over(`${event.who} ${event.conn}`);
      case 'client.registered':
        return this.#registered(event);
      case 'client.lost':
      case 'client.stopped':
        for (const [port, who] of this.#live) if (who === event.who) this.#live.delete(port);
        return;
      case 'host.crashed':
        if (event.who === 'relay') this.#live.clear();
        return;
      case 'fault.begun':
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
    else
      this.#own.bad(`port ${event.port} was given to ${holder} and to ${event.who}`, [
        proof(event, `registered at ${event.port}`),
      ]);
    this.#live.set(event.port, event.who);
  }

  #bytes(event: EventOf<'conn.bytes'>): void {
    const talk = this.#talks.get(`${event.who} ${event.conn}`);
    if (talk === undefined) return;
    if (event.dir === 'in') {
      if (talk.in === '') {
        talk.firstIn = event;
        talk.outBeforeIn = talk.out !== '';
      }
      talk.in += event.hex;
    } else talk.out += event.hex;
  }

  #over(key: string): void {
    const talk = this.#talks.get(key);
    this.#talks.delete(key);
    if (talk !== undefined) this.#judge(talk);
  }

  #judge(talk: Talk): void {
    const said = latin(talk.out);
    const [mode = '', second] = said.split('\n');
    if (!['pool', 'event', 'multiplex'].includes(mode)) return;
    const { firstIn } = talk;
    if (firstIn === undefined) return;
    if (talk.outBeforeIn) this.#first.good();
    else
      this.#first.bad('bytes before the client had said anything', [proof(firstIn, 'the relay spoke first')]);
    if (mode === 'multiplex' || second === 'new') this.#registration(talk, mode, firstIn);
    else if (second !== undefined && mode === 'pool') this.#data(talk, firstIn);
  }

  #registration(talk: Talk, mode: string, firstIn: EventOf<'conn.bytes'>): void {
    const lines = latin(talk.in).split('\n');
    const port = lines[0] ?? '';
    if (lines.length < 2) return;
    if (isPort(port)) this.#port.good();
    else this.#port.bad(`"${port}\\n"`, [proof(firstIn, `the port line is "${port}"`)]);
    if (mode === 'pool') {
      const id = lines[1];
      if (lines.length < 3 || id === undefined) return;
      if (id !== '' && !id.startsWith('RLAB')) this.#pool.good();
      else this.#pool.bad(`"${id}" where the id should be`, [proof(firstIn, 'no id line')]);
      this.#newId(id, firstIn);
    } else if (mode === 'event') {
      this.#listener.good();
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
    if (before !== undefined)
      this.#id.bad(`"${id}" for the second time`, [proof(before, 'first', false), proof(event, 'again')]);
    else if (bitsOf(id) < ID_BITS_MIN)
      this.#id.bad(`"${id}", about ${Math.floor(bitsOf(id))} bits`, [proof(event, 'a short id')]);
    else this.#id.good();
    return before === undefined;
  }

  #data(talk: Talk, firstIn: EventOf<'conn.bytes'>): void {
    // The first segment may hold less than the four bytes.
    if (talk.in.startsWith(REQUEST) || REQUEST.startsWith(talk.in)) this.#join.good();
    else this.#join.bad(`0x${talk.in.slice(0, 32)}`, [proof(firstIn, 'the first bytes are no user')]);
  }

  findings() {
    for (const key of [...this.#talks.keys()]) this.#over(key);
    const registrations = (n: number): string => count(n, 'registration');
    return [
      this.#first.finding(
        (n) => `the client spoke first in all ${n} conversations`,
        (b, n) => `the relay spoke first in ${b} of ${n} conversations`,
        'no conversation was watched',
      ),
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
        () => '',
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
