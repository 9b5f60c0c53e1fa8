import { strict as assert } from 'node:assert';
import type { Conn, Millis, NetInput } from '../../machine/machine.ts';
import { rngFor } from '../../machine/rng.ts';
import { type Chance, chanceFrom } from '../chance.ts';
import { type Identity, identityOf } from '../crypto.ts';
import { Link, linkCodec } from '../link.ts';
import type { InitConnection } from '../messages.ts';
import { textOf } from '../public-key.ts';
import { DEFAULT_LIMITS, type RelayLimits } from '../relay/limits.ts';
import { IdentityRelayMachine } from '../relay/relay-machine.ts';
import type { RelayReport } from '../relay/relay-report.ts';
import { toHex } from './hex.ts';

export const seeded = (name: string): Chance => {
  const rng = rngFor(7, name);
  return chanceFrom((length) => Uint8Array.from({ length }, () => rng.below(256)));
};
export const identityFor = (name: string): Identity => identityOf(seeded(`identity ${name}`).keySalt());

/** A relay machine whose other side is played by hand: a clock, and what was said to whom. */
export class RelayBench {
  readonly identity = identityFor('relay');
  readonly machine: IdentityRelayMachine;
  readonly reports: RelayReport[] = [];
  readonly nodes = new Map<Conn, WireNode>();
  now: Millis = 0;
  #conns = 0;

  constructor(limits: Partial<RelayLimits> = {}) {
    const { identity } = this;
    this.machine = new IdentityRelayMachine({
      port: 1,
      identity,
      limits,
      chance: (conn) => seeded(`relay ${conn}`),
    });
    this.feed({ type: 'start' });
  }

  feed(input: NetInput): void {
    for (const output of this.machine.handle(this.now, input)) {
      if (output.type === 'report') this.reports.push(output.event);
      if (!('conn' in output)) continue;
      const node = this.nodes.get(output.conn);
      if (output.type === 'send') node?.heard.push(output.bytes);
      if (output.type === 'pause') node?.flow(true);
      if (output.type === 'resume') node?.flow(false);
      if (output.type === 'flush') node?.flushes.push(true);
      if (output.type === 'close' || output.type === 'reset' || output.type === 'end') node?.end(output.type);
    }
  }

  /** Time passes; every deadline is kept to the millisecond. */
  pass(millis: Millis): void {
    const end = this.now + millis;
    for (let at = this.machine.deadline(); at !== undefined && at <= end; at = this.machine.deadline()) {
      this.now = Math.max(this.now, at);
      this.feed({ type: 'deadline' });
    }
    this.now = end;
  }

  /** A connection that has said nothing. */
  dial(name = 'mute', host = '10.0.0.1'): WireNode {
    const conn = ++this.#conns;
    const node = new WireNode(this, conn, identityFor(name));
    this.nodes.set(conn, node);
    this.feed({ type: 'accepted', conn, listener: 1, from: { host, port: 1 } });
    return node;
  }

  /** A connection whose handshake is done. */
  join(name: string, host?: string): WireNode {
    const node = this.dial(name, host);
    node.shake();
    return node;
  }

  listen(name: string): WireNode {
    const node = this.join(name);
    node.init({ type: 'listen' });
    return node;
  }

  connect(name: string, to: string): WireNode {
    const node = this.join(name);
    node.init({ type: 'connect', publicKey: identityFor(to).publicKey });
    return node;
  }

  accept(name: string, from: string): WireNode {
    const node = this.join(name);
    node.init({ type: 'accept', publicKey: identityFor(from).publicKey });
    return node;
  }

  /** Why connections were turned away, in order. */
  get refused(): readonly string[] {
    return this.reports.flatMap((event) => (event.type === 'strelay.refused' ? [event.why] : []));
  }
}

const codec = linkCodec();

/** One connection to a `RelayBench`. */
export class WireNode {
  readonly conn: Conn;
  readonly identity: Identity;
  readonly link: Link;
  readonly heard: Uint8Array[] = [];
  readonly flushes: true[] = [];
  readonly #bench: RelayBench;
  closed: 'close' | 'reset' | 'end' | undefined;
  paused = false;

  constructor(bench: RelayBench, conn: Conn, identity: Identity) {
    this.#bench = bench;
    this.conn = conn;
    this.identity = identity;
    const { rekeyMillis, keepaliveMillis, silenceMillisMax } = DEFAULT_LIMITS;
    const times = { rekeyMillis, keepaliveMillis, silenceMillisMax };
    this.link = new Link({
      ...times,
      identity,
      expected: bench.identity.publicKey,
      chance: seeded(`node ${conn}`),
      codec,
    });
  }

  flow(paused: boolean): void {
    this.paused = paused;
  }

  end(how: 'close' | 'reset' | 'end'): void {
    this.closed ??= how;
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.#bench.feed({ type: 'bytes', conn: this.conn, bytes });
  }

  shake(): void {
    this.raw(this.link.open());
    this.messages();
    assert.ok(this.link.ready, `handshake of connection ${this.conn} is done`);
  }

  send(message: Uint8Array): void {
    this.raw(this.link.send(this.#bench.now, message));
  }

  say(text: string): void {
    this.send(new TextEncoder().encode(text));
  }

  init(message: InitConnection): void {
    this.send(codec.writeInitConnection(message));
  }

  reject(name: string): void {
    this.send(codec.writePeer(identityFor(name).publicKey));
  }

  /** A keepAlive, as one is due. */
  keepAlive(): void {
    for (const message of this.link.expire(this.#bench.now)) this.raw(message);
  }

  /** Takes everything heard so far. @returns messages as hex */
  messages(): readonly string[] {
    const messages: string[] = [];
    for (const bytes of this.heard.splice(0)) {
      this.link.push(bytes);
      for (
        let event = this.link.next(this.#bench.now);
        event !== undefined;
        event = this.link.next(this.#bench.now)
      ) {
        if (event.type === 'send') this.raw(event.message);
        if (event.type === 'message') messages.push(toHex(event.bytes));
      }
    }
    return messages;
  }

  texts(): readonly string[] {
    return this.messages().map((hex) => Buffer.from(hex, 'hex').toString());
  }

  /** Keys of the IncomingConnections heard. */
  incoming(): readonly string[] {
    return this.messages().map((hex) => textOf(codec.readPeer(new Uint8Array(Buffer.from(hex, 'hex')))));
  }

  flushed(): void {
    for (const _ of this.flushes.splice(0)) this.#bench.feed({ type: 'flushed', conn: this.conn });
  }

  /** FIN, then the end. */
  leave(): void {
    this.#bench.feed({ type: 'ended', conn: this.conn });
    this.gone('end');
  }

  gone(why: 'end' | 'reset'): void {
    this.#bench.feed({ type: 'closed', conn: this.conn, why, received: 0, sent: 0 });
  }
}
