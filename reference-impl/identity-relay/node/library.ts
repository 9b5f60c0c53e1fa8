/** A node for programs: kept reachable by its relay, with tunnels that carry messages between two keys. */
import { randomInt } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { DEFAULT_SCHEDULE, type Schedule } from '../../backoff/schedule.ts';
import { connNames, NodeDriver } from '../../drivers/node.ts';
import type { Address, Conn, NameConn } from '../../machine/machine.ts';
import { rngFor } from '../../machine/rng.ts';
import type { NodeLimits } from '../client/node-limits.ts';
import { IdentityNodeMachine } from '../client/node-machine.ts';
import { MESSAGE_BYTES_MAX, type NodeCommand, type NodeReport, type Parting } from '../client/node-report.ts';
import type { Identity } from '../crypto.ts';
import { KEY_BYTES } from '../messages.ts';
import { bytesOf, textOf } from '../public-key.ts';
import { systemChance } from './system-chance.ts';

export type ConnectOptions = {
  readonly relay: Address;
  /** The relay's public key, from its ticket: 32 bytes, or as text. */
  readonly relayKey: Uint8Array | string;
  /** Who this node is: `readIdentityFile(path)`, or `identityOf(seed)`. */
  readonly identity: Identity;
  /** Whether others can reach it. Default true. */
  readonly listen?: boolean;
  /** Whom to let in. Default: everybody, since everybody has proven who they are. */
  readonly accept?: (from: string) => boolean;
  /** What is not named is as in `DEFAULT_SCHEDULE`: 250 ms doubling to 30 s, half of it random, for ever. */
  readonly schedule?: Partial<Schedule>;
  readonly limits?: Partial<NodeLimits>;
};

/** So many messages are held for somebody to listen, then the tunnel is paused. */
const HELD_MAX = 64;

export type TunnelEvents = { message: [Uint8Array]; drain: []; close: [Parting] };

/** Messages between two nodes, in order, sealed end to end. `close` comes once. */
export class Tunnel extends EventEmitter<TunnelEvents> {
  readonly peer: string;
  readonly role: 'connector' | 'acceptor';
  readonly #conn: Conn;
  readonly #tell: (command: NodeCommand) => void;
  readonly #ended = Promise.withResolvers<Parting>();
  /** Resolves when it is gone, whoever listens. */
  readonly closed: Promise<Parting> = this.#ended.promise;
  /** Messages that came before anybody listened. */
  #held: Uint8Array[] = [];
  #open = true;
  #full = false;

  constructor(event: Extract<NodeReport, { type: 'node.tunnel' }>, tell: (command: NodeCommand) => void) {
    super();
    this.peer = event.peer;
    this.role = event.role;
    this.#conn = event.tunnel;
    this.#tell = tell;
    this.on('newListener', (name) => {
      // once the listener is there
      if (name === 'message' && this.#held.length > 0) queueMicrotask(() => this.#release());
    });
  }

  /**
   * @param bytes at most `MESSAGE_BYTES_MAX`
   * @returns false: wait for `drain` before the next
   * @throws RangeError when it is longer; Error when the tunnel is closed
   */
  send(bytes: Uint8Array): boolean {
    if (bytes.length > MESSAGE_BYTES_MAX)
      throw new RangeError(`a message has at most ${MESSAGE_BYTES_MAX} bytes, got ${bytes.length}: split it`);
    if (!this.#open) throw new Error('send: the tunnel is closed');
    this.#tell({ type: 'send', tunnel: this.#conn, bytes });
    return !this.#full;
  }

  /** Hears no messages until `resume`; the other end is held back. A few that are on their way still come. */
  pause(): void {
    this.#tell({ type: 'pause', tunnel: this.#conn });
  }

  resume(): void {
    this.#tell({ type: 'resume', tunnel: this.#conn });
  }

  /** Closes it when everything is sent. */
  end(): void {
    if (this.#open) this.#tell({ type: 'end', tunnel: this.#conn });
  }

  /** For its node: something was reported about it. */
  hear(event: NodeReport): void {
    switch (event.type) {
      case 'node.message':
        if (this.#held.length === 0 && this.listenerCount('message') > 0) this.emit('message', event.bytes);
        else if (this.#held.push(event.bytes) === HELD_MAX) this.pause();
        return;
      case 'node.full':
        this.#full = true;
        return;
      case 'node.drained':
        this.#full = false;
        this.emit('drain');
        return;
      case 'node.closed':
        this.#open = false;
        this.#ended.resolve(event.why);
        if (this.#held.length === 0) this.emit('close', event.why);
        return;
      default:
        return;
    }
  }

  #release(): void {
    const held = this.#held;
    this.#held = [];
    for (const bytes of held) this.emit('message', bytes);
    if (held.length >= HELD_MAX) this.resume();
    if (!this.#open) void this.closed.then((why) => this.emit('close', why));
  }
}

/** A tunnel that did not come about. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
  readonly why: Parting;

  constructor(peer: string, why: Parting) {
    super(`no tunnel to ${peer}: ${why}`);
    this.why = why;
  }
}

type EventOf<Type extends NodeReport['type']> = Extract<NodeReport, { readonly type: Type }>;
export type RelayNodeEvents = {
  /** Asked the relay to be reachable. */
  listening: [EventOf<'node.listening'>];
  /** Not reachable at the moment; it comes back. */
  lost: [EventOf<'node.lost'>];
  gaveUp: [EventOf<'node.gaveUp'>];
  /** Somebody wants a tunnel; whether it was let in. */
  incoming: [string, boolean];
  /** One that was accepted. (`connect` returns its own.) */
  tunnel: [Tunnel];
};

const keyOf = (key: Uint8Array | string): Uint8Array => {
  const bytes = typeof key === 'string' ? bytesOf(key) : key;
  if (bytes?.length === KEY_BYTES) return bytes;
  throw new RangeError('a public key has 32 bytes: 43 letters of base64url');
};

export class RelayNode extends EventEmitter<RelayNodeEvents> {
  /** As others dial it. */
  readonly publicKey: string;
  readonly #driver: NodeDriver<NodeReport, NodeCommand>;
  readonly #name: NameConn = connNames();
  readonly #tunnels = new Map<Conn, Tunnel>();
  readonly #dials = new Map<Conn, PromiseWithResolvers<Tunnel>>();
  readonly #accept: (from: string) => boolean;
  readonly #stopped = Promise.withResolvers<void>();
  #closing = false;

  constructor(options: ConnectOptions) {
    super();
    this.publicKey = textOf(options.identity.publicKey);
    this.#accept = options.accept ?? (() => true);
    const machine = new IdentityNodeMachine({
      relay: options.relay,
      relayKey: keyOf(options.relayKey),
      identity: options.identity,
      listen: options.listen ?? true,
      acceptAll: false,
      schedule: { ...DEFAULT_SCHEDULE, ...options.schedule },
      rng: rngFor(randomInt(2 ** 31), 'jitter'),
      chance: systemChance(),
      name: this.#name,
      limits: options.limits ?? {},
    });
    this.#driver = new NodeDriver<NodeReport, NodeCommand>(machine, {
      name: this.#name,
      report: (event) => this.#report(event),
    });
    this.#driver.start();
  }

  /** A tunnel to another node. Rejects with ConnectError when the relay or the node refuses, or with RangeError for no key. */
  async connect(peer: Uint8Array | string): Promise<Tunnel> {
    const tunnel = this.#name();
    const command: NodeCommand = { type: 'connect', tunnel, peer: keyOf(peer) };
    const dial = Promise.withResolvers<Tunnel>();
    this.#dials.set(tunnel, dial);
    this.#driver.tell(command);
    return dial.promise;
  }

  /** Closes every tunnel when what it holds is sent, and is not reachable any more. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#driver.stop();
    }
    await this.#stopped.promise;
  }

  #report(event: NodeReport): void {
    switch (event.type) {
      case 'node.dialing':
        return;
      case 'node.listening':
        this.emit('listening', event);
        return;
      case 'node.lost':
        this.emit('lost', event);
        return;
      case 'node.gaveUp':
        this.emit('gaveUp', event);
        return;
      case 'node.incoming':
        this.#incoming(event.from);
        return;
      case 'node.tunnel':
        this.#opened(event);
        return;
      case 'node.closed':
        this.#dials.get(event.tunnel)?.reject(new ConnectError(event.peer, event.why));
        this.#dials.delete(event.tunnel);
        this.#tunnels.get(event.tunnel)?.hear(event);
        this.#tunnels.delete(event.tunnel);
        return;
      case 'node.message':
      case 'node.full':
      case 'node.drained':
        this.#tunnels.get(event.tunnel)?.hear(event);
        return;
      case 'node.stopped':
        // not inside the driver's own turn
        queueMicrotask(() => {
          this.#driver.destroy();
          this.#stopped.resolve();
        });
        return;
    }
  }

  #incoming(from: string): void {
    const welcome = this.#accept(from);
    const peer = keyOf(from);
    this.#driver.tell(welcome ? { type: 'accept', tunnel: this.#name(), peer } : { type: 'reject', peer });
    this.emit('incoming', from, welcome);
  }

  #opened(event: EventOf<'node.tunnel'>): void {
    const tunnel = new Tunnel(event, (command) => this.#driver.tell(command));
    this.#tunnels.set(event.tunnel, tunnel);
    const dial = this.#dials.get(event.tunnel);
    this.#dials.delete(event.tunnel);
    if (dial === undefined) this.emit('tunnel', tunnel);
    else dial.resolve(tunnel);
  }
}

/** Joins a relay: see `ConnectOptions`; close it with `close()`. @throws RangeError when the relay's key is none */
export const connectToRelay = (options: ConnectOptions): RelayNode => new RelayNode(options);
