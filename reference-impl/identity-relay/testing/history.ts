/**
 * A relay and nodes that do whatever chance has them do, beside a model of what must come of it: who listens, who waits for whom, who
 * hears whom. Everything is compared after every step; whatever differs throws an AssertionError.
 */
import { strict as assert } from 'node:assert';
import type { Millis } from '../../machine/machine.ts';
import { textOf } from '../public-key.ts';
import type { RelayLimits } from '../relay/limits.ts';
import { Actor, type Half, type Role } from './history-actor.ts';
import { identityFor, RelayBench } from './wire-node.ts';

/** Small, so that a short history reaches all of them; times are the protocol's but for the rekey. */
export const HISTORY_LIMITS = {
  handshakesMax: 4,
  handshakesPerAddressMax: 3,
  connectionsMax: 16,
  connectionsPerAddressMax: 8,
  halfTunnelsPerListenerMax: 2,
  earlyBytesMax: 800,
  earlyBytesTotalMax: 1_500,
  unsentBytesMax: 3_000,
  rekeyMillis: 20_000,
} as const satisfies Partial<RelayLimits>;

const often = (times: number, ...acts: readonly string[]): readonly string[] =>
  Array.from({ length: times }, () => acts).flat();

/** What a step may be; what is named more often comes more often. */
export const ACTS = [
  ...often(12, 'say'),
  ...often(6, 'listen', 'connect', 'accept'),
  ...often(4, 'read', 'flush', 'pass'),
  ...often(1, 'dial', 'second', 'reject', 'leave', 'drop', 'hang', 'babble'),
];
/** One step; numbers are taken modulo what there is to choose from. */
export type Step = {
  readonly act: string;
  readonly who: number;
  readonly whom: number;
  readonly amount: number;
};

const NAMES = ['a', 'b', 'c'] as const;
const ADDRESSES = ['10.0.0.1', '10.0.0.2', '10.0.0.3'] as const;
const MESSAGE_BYTES_MAX = 400;
/** What a frame has around its message, padding included. */
const AROUND_BYTES_MAX = 360;
/** Early messages of one connector: each costs 64 bytes at least, and one more than the limit is taken. */
const EARLY_MAX = HISTORY_LIMITS.earlyBytesMax / 64 + 1;
const HALF_MILLIS = 32_000;
const SILENCE_MILLIS = 32_000;
const INIT_MILLIS = 4_000;
/** Waiting for a handshake, and then having it. */
const MUTE_MILLIS = 2 * 8_000;
/** How often nodes look at what has come while time passes. */
const LOOK_MILLIS = 5_000;

export class History {
  readonly #bench = new RelayBench(HISTORY_LIMITS);
  readonly #actors: Actor[] = [];
  readonly #listeners = new Map<string, Actor>();
  #halves: Half[] = [];
  #said = 0;
  /** How often something came about, for a test that wants to know that it did. */
  readonly seen = { tunnels: 0, messages: 0, paused: 0, expired: 0, refused: 0, silent: 0 };

  /** Does one thing and compares everything. */
  step({ act, who, whom, amount }: Step): void {
    const among = (...roles: readonly Role[]): Actor | undefined => {
      const all = this.#actors.filter((actor) => roles.includes(actor.role) && !actor.hung);
      return all[who % Math.max(1, all.length)];
    };
    const anybody = among('mute', 'shaken', 'listener', 'half', 'tunnel');
    const other = NAMES[whom % NAMES.length] as string;
    switch (act) {
      case 'dial':
        if (amount % 2 === 0) this.#dial(who);
        else this.#shaken(who);
        break;
      case 'listen':
        this.#listen(this.#shaken(who));
        break;
      case 'connect':
        // mostly to somebody who listens
        this.#connect(
          this.#shaken(who),
          amount % 8 === 0 ? other : ([...this.#listeners.keys()][0] ?? other),
        );
        break;
      case 'accept':
        this.#accept(this.#halves[whom % Math.max(1, this.#halves.length)], who, other, amount);
        break;
      case 'say':
        this.#say(among('half', 'tunnel'), 1 + (whom % 16), amount % MESSAGE_BYTES_MAX);
        break;
      case 'read':
        anybody?.read();
        break;
      case 'flush':
        anybody?.read();
        anybody?.node.flushed();
        break;
      case 'reject':
        this.#reject(among('listener'), other);
        break;
      case 'second':
        among('listener')?.node.init({ type: 'listen' });
        break;
      case 'hang':
        if (anybody !== undefined && !anybody.node.paused) anybody.hungAt = this.#bench.now;
        break;
      case 'babble':
        this.#babble(anybody);
        break;
      case 'leave':
      case 'drop':
        this.#leave(anybody, act === 'leave');
        break;
      case 'pass':
        this.#pass(amount * 50);
        break;
      default:
        assert.fail(`no such act: ${act}`);
    }
    this.#settle();
    this.#compare();
  }

  /** Everybody reads what is left and leaves. */
  finish(): void {
    for (let more = true; more; ) more = this.#look();
    for (const actor of this.#actors) this.#compareHeard(actor);
    for (const actor of this.#actors) if (actor.role !== 'gone') this.#leave(actor, actor.hung === false);
    this.#settle();
    for (const { node } of this.#actors) if (node.closed !== 'reset') node.gone('end');
    this.#compare();
    // what is still counted of refusals is told
    this.#bench.pass(120_000);
    const { machine } = this.#bench;
    const { refusals: _, tunnelsTotal: __, messagesTotal: ___, bytesTotal: ____, ...open } = machine.stats();
    assert.deepEqual(
      Object.entries(open).filter(([, count]) => count !== 0),
      [],
      'nothing is left',
    );
    assert.equal(machine.deadline(), undefined, 'nothing is waited for');
  }

  #dial(who: number): Actor {
    const name = NAMES[who % NAMES.length] as string;
    const node = this.#bench.dial(name, ADDRESSES[(who >> 2) % ADDRESSES.length]);
    const actor = new Actor(node, name, this.#bench.now);
    // too many connections
    if (node.closed !== undefined) actor.role = 'gone';
    this.#actors.push(actor);
    return actor;
  }

  /** Somebody who has shaken hands and said nothing more. */
  #shaken(who: number): Actor | undefined {
    const mute = this.#actors.find(({ role, hung, node }) => role === 'mute' && !hung && !node.paused);
    const actor = who % 2 === 0 && mute !== undefined ? mute : this.#dial(who);
    if (actor.role === 'gone' || actor.node.paused) return undefined;
    actor.node.shake();
    this.#heard(actor);
    actor.become('shaken', this.#bench.now);
    return actor;
  }

  #heard(actor: Actor): void {
    actor.heardAt = this.#bench.now;
  }

  #listen(actor: Actor | undefined): void {
    if (actor === undefined) return;
    actor.node.init({ type: 'listen' });
    if (this.#listeners.has(actor.name)) actor.doomed = true;
    else {
      actor.become('listener', this.#bench.now);
      this.#listeners.set(actor.name, actor);
    }
  }

  #connect(actor: Actor | undefined, to: string): void {
    if (actor === undefined) return;
    const listener = this.#listeners.get(to);
    const waiting = this.#halves.filter((half) => half.listener === listener);
    actor.node.init({ type: 'connect', publicKey: identityFor(to).publicKey });
    if (
      listener === undefined ||
      waiting.length >= HISTORY_LIMITS.halfTunnelsPerListenerMax ||
      waiting.some(({ connector }) => connector.name === actor.name)
    ) {
      actor.doomed = true;
      return;
    }
    actor.become('half', this.#bench.now);
    this.#halves.push({ listener, connector: actor, since: this.#bench.now });
    listener.due.push(textOf(actor.node.identity.publicKey));
  }

  /** Accepts somebody who waits, or now and then whoever comes to mind. */
  #accept(wanted: Half | undefined, who: number, other: string, amount: number): void {
    const blind = amount % 8 === 0 || wanted === undefined;
    const actor = this.#shaken(blind ? who : NAMES.indexOf(wanted.listener.name as 'a'));
    if (actor === undefined) return;
    const from = blind ? other : wanted.connector.name;
    const listener = this.#listeners.get(actor.name);
    const half = this.#halves.find((half) => half.listener === listener && half.connector.name === from);
    actor.node.init({ type: 'accept', publicKey: identityFor(from).publicKey });
    if (half === undefined) {
      actor.doomed = true;
      return;
    }
    this.#halves = this.#halves.filter((one) => one !== half);
    const { connector } = half;
    actor.become('tunnel', this.#bench.now);
    actor.partner = connector;
    this.seen.tunnels++;
    // one that has left is still heard
    if (connector.role !== 'half') actor.doomed = true;
    else {
      connector.become('tunnel', this.#bench.now);
      connector.partner = actor;
    }
  }

  #say(actor: Actor | undefined, messages: number, length: number): void {
    for (let i = 0; i < messages && actor !== undefined; i++)
      actor.queue.push(length % 7 === 0 ? '' : `${actor.node.conn}/${this.#said++}/${'x'.repeat(length)}`);
    this.#pump();
  }

  /** What waits in a node's socket goes as far as the relay reads. @returns whether anything went */
  #pump(): boolean {
    let went = false;
    for (const actor of this.#actors) {
      while (!actor.node.paused && !actor.hung && !actor.left && actor.node.closed === undefined) {
        const text = actor.queue.shift();
        if (text === undefined) break;
        actor.node.say(text);
        actor.said.push(text);
        this.#heard(actor);
        this.seen.messages++;
        went = true;
      }
      if (actor.queue.length > 0 && actor.node.paused) this.seen.paused++;
    }
    return went;
  }

  #reject(listener: Actor | undefined, from: string): void {
    if (listener === undefined) return;
    listener.node.reject(from);
    const half = this.#halves.find((half) => half.listener === listener && half.connector.name === from);
    if (half !== undefined) this.#drop(half);
  }

  #drop(half: Half): void {
    this.#halves = this.#halves.filter((one) => one !== half);
    if (half.connector.role === 'half') half.connector.doomed = true;
  }

  /** A frame that nobody has sealed; to one that is mute, one that is no version. */
  #babble(actor: Actor | undefined): void {
    if (actor === undefined || actor.node.paused) return;
    const frame = new Uint8Array(8 + 28).fill(0xff, 8);
    frame[7] = 28;
    actor.node.raw(frame);
    actor.doomed = true;
  }

  /** FIN once all it has said is sent, else RST. */
  #leave(actor: Actor | undefined, inOrder: boolean): void {
    if (actor === undefined) return;
    if (inOrder && actor.queue.length === 0 && !actor.node.paused) actor.node.leave();
    else actor.node.gone('reset');
    actor.left = true;
    this.#forget(actor);
  }

  #pass(millis: Millis): void {
    const end = this.#bench.now + millis;
    while (this.#bench.now < end) {
      this.#bench.pass(Math.min(LOOK_MILLIS, end - this.#bench.now));
      for (const half of this.#halves)
        if (this.#bench.now >= half.since + HALF_MILLIS) {
          this.seen.expired++;
          this.#drop(half);
        }
      this.#settle();
      this.#look();
      for (const actor of this.#actors)
        if (!actor.hung && actor.role !== 'gone' && actor.role !== 'mute')
          for (const message of actor.node.link.expire(this.#bench.now)) {
            actor.node.raw(message);
            this.#heard(actor);
          }
      this.#settle();
      this.#compare();
    }
  }

  /** Everybody who can reads, and what was held back goes on. @returns whether anything went */
  #look(): boolean {
    for (const actor of this.#actors) {
      actor.read();
      if (!actor.hung && !actor.left) actor.node.flushed();
    }
    return this.#pump();
  }

  /** Takes up whom the relay has closed, and whoever goes with them. */
  #settle(): void {
    // one by one: who goes for a reason may be the reason why somebody named before goes
    const explained = (): Actor | undefined =>
      this.#actors.find(
        (actor) => actor.role !== 'gone' && actor.node.closed !== undefined && this.#mayBeClosed(actor),
      );
    for (let actor = explained(); actor !== undefined; actor = explained()) {
      if (actor.doomed) this.seen.refused++;
      else if (actor.hung) this.seen.silent++;
      if (actor.node.closed === 'close') actor.node.gone('end');
      this.#forget(actor);
    }
    for (const actor of this.#actors) {
      if (actor.role === 'gone') continue;
      assert.ok(actor.node.closed === undefined, this.#of(actor, 'is closed for no reason'));
      assert.ok(!actor.doomed, this.#of(actor, 'is still there'));
      assert.ok(!this.#overdue(actor), this.#of(actor, 'outlives its time'));
    }
  }

  #mayBeClosed(actor: Actor): boolean {
    const { now } = this.#bench;
    if (actor.doomed || actor.role === 'mute') return true;
    if (actor.role === 'shaken') return now >= actor.since + INIT_MILLIS;
    if (actor.role === 'listener' && actor.node.flushes.length > 0) return true;
    return actor.hung && now >= actor.heardAt + SILENCE_MILLIS;
  }

  #overdue({ role, since, hungAt }: Actor): boolean {
    const { now } = this.#bench;
    if (role === 'mute') return now >= since + MUTE_MILLIS;
    if (role === 'shaken') return now >= since + INIT_MILLIS;
    return hungAt !== undefined && now >= hungAt + SILENCE_MILLIS;
  }

  /** Takes somebody out of the model, and says who must go with it. */
  #forget(actor: Actor): void {
    const { role, partner } = actor;
    actor.become('gone', this.#bench.now);
    if (role === 'listener') {
      this.#listeners.delete(actor.name);
      for (const half of this.#halves) if (half.listener === actor) this.#drop(half);
    }
    if (role === 'tunnel' && partner?.role === 'tunnel') partner.doomed = true;
  }

  #compare(): void {
    const stats = this.#bench.machine.stats();
    const tunnels = this.#actors.filter(({ role }) => role === 'tunnel').length / 2;
    assert.deepEqual(
      { listeners: stats.listeners, halfTunnels: stats.halfTunnels, tunnels: stats.tunnels },
      { listeners: this.#listeners.size, halfTunnels: this.#halves.length, tunnels },
    );
    assert.ok(stats.connections <= HISTORY_LIMITS.connectionsMax, `${stats.connections} connections`);
    assert.ok(stats.handshakes <= HISTORY_LIMITS.handshakesMax, `${stats.handshakes} handshakes`);
    const oneMore = MESSAGE_BYTES_MAX + 128;
    assert.ok(
      stats.earlyBytes <= HISTORY_LIMITS.earlyBytesTotalMax + this.#halves.length * oneMore,
      `${stats.earlyBytes} bytes of connectors that wait`,
    );
    for (const actor of this.#actors) {
      // what was early goes out at once; a message, a keepAlive and a rekey may follow what is full
      const most =
        HISTORY_LIMITS.unsentBytesMax +
        (HISTORY_LIMITS.earlyBytesMax + EARLY_MAX * AROUND_BYTES_MAX) +
        3 * (MESSAGE_BYTES_MAX + AROUND_BYTES_MAX);
      assert.ok(actor.left || actor.unreadBytes <= most, this.#of(actor, 'is sent more than it takes'));
    }
  }

  /** Only from its partner, in order, nothing twice; and everything, unless it has gone before. */
  #compareHeard(actor: Actor): void {
    const { heard, partner, node, due } = actor;
    const said = partner?.said ?? due;
    assert.deepEqual(heard, said.slice(0, heard.length), this.#of(actor, 'hears what was said to it'));
    if (!actor.left && !actor.hung && (node.closed === undefined || node.closed === 'end'))
      assert.equal(heard.length, said.length, this.#of(actor, 'hears all of it'));
  }

  #of({ node: { conn, closed }, name, role }: Actor, what: string): string {
    return `connection ${conn} of ${name}, ${role}, ${closed ?? 'open'}, at ${this.#bench.now} ms: ${what}`;
  }
}
