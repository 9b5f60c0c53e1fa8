/** For tests: a NAT machine on a bench, with its outputs as short words. The upstream is `relay:1`, the public host `pub`. */
import type { Conn, Millis, NetInput, NetOutput, Why } from '../../reference-impl/machine/machine.ts';
import { rngFor } from '../../reference-impl/machine/rng.ts';
import type { Nat } from './nat.ts';
import { NatMachine } from './nat-machine.ts';
import type { NatOptions } from './nat-options.ts';
import type { NatCommand, NatReport } from './nat-report.ts';

const reportWords = (event: NatReport): string => {
  const { type, ...rest } = event;
  return [type.slice('nat.'.length), ...Object.values(rest)].join(' ');
};

const outputWords = (output: NetOutput<NatReport>): string => {
  switch (output.type) {
    case 'report':
      return reportWords(output.event);
    case 'connect':
      return `connect ${output.conn}${output.from === undefined ? '' : ` from ${output.from.host}:${output.from.port}`}`;
    case 'send':
      return `send ${output.conn} ${output.bytes.length < 20 ? Buffer.from(output.bytes).toString() : output.bytes.length}`;
    case 'listen':
      return `listen ${output.host ?? '*'}:${output.port}`;
    case 'unlisten':
      return 'unlisten';
    default:
      return 'conn' in output ? `${output.type} ${output.conn}` : output.type;
  }
};

export class MachineBench {
  readonly machine: NatMachine;
  #now: Millis = 0;
  #named = 100;

  constructor(nat: Nat, options: Partial<NatOptions> = {}) {
    this.machine = new NatMachine({
      listen: { host: undefined, port: 0 },
      upstream: { host: 'relay', port: 1 },
      publicHost: 'pub',
      nat,
      rng: rngFor(7, 'nat'),
      name: () => this.#named++,
      innerKeepaliveMillis: 0,
      outerKeepaliveMillis: 0,
      ...options,
    });
  }

  get now(): Millis {
    return this.#now;
  }

  /** Lets time pass as a driver would, waking the machine when it is due. */
  to(now: Millis): readonly string[] {
    const words: string[] = [];
    for (let due = this.machine.deadline(); due !== undefined && due <= now; due = this.machine.deadline()) {
      this.#now = Math.max(this.#now, due);
      words.push(...this.input({ type: 'deadline' }));
    }
    this.#now = now;
    return words;
  }

  input(input: NetInput): readonly string[] {
    return this.machine.handle(this.#now, input).map(outputWords);
  }

  command(command: NatCommand): readonly string[] {
    return this.machine.handle(this.#now, { type: 'command', command }).map(outputWords);
  }

  accept(conn: Conn, port: number): readonly string[] {
    return this.input({ type: 'accepted', conn, listener: 0, from: { host: 'client', port } });
  }

  connected(conn: Conn): readonly string[] {
    return this.input({ type: 'connected', conn });
  }

  /** Accepts, connects. The inner connection is `conn`, the outer one the next name from 100. */
  open(conn: Conn, port = 5_000 + conn): Conn {
    const words = this.accept(conn, port);
    const outer = Number(words.find((word) => word.startsWith('connect'))?.split(' ')[1]);
    this.connected(outer);
    return outer;
  }

  bytes(conn: Conn, text: string | number): readonly string[] {
    const bytes = typeof text === 'number' ? new Uint8Array(text) : new Uint8Array(Buffer.from(text));
    return this.input({ type: 'bytes', conn, bytes });
  }

  ended(conn: Conn): readonly string[] {
    return this.input({ type: 'ended', conn });
  }

  closed(conn: Conn, why: Why): readonly string[] {
    return this.input({ type: 'closed', conn, why, received: 0, sent: 0 });
  }
}
