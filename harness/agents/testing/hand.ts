/** Feeds a machine by hand and shows its answers in short words, so that a test reads as a table. */
import { connNames } from '../../../reference-impl/drivers/node.ts';
import type {
  CommandInput,
  Conn,
  Millis,
  NetInput,
  NetMachine,
  NetOutput,
} from '../../../reference-impl/machine/machine.ts';
import type { Happening } from '../../trace/trace.ts';
import type { ActorCommand, TunnelOrder } from '../actor-spec.ts';

export type Out = NetOutput<Happening>;

/** `connect 1`, `send 1 64`, `tunnel.done`: what a machine answered. */
export const words = (outputs: readonly Out[]): readonly string[] =>
  outputs.map((output) => {
    if (output.type === 'report') return output.event.type;
    if (output.type === 'send') return `send ${output.conn} ${output.bytes.length}`;
    return 'conn' in output ? `${output.type} ${output.conn}` : output.type;
  });

/** What was reported, in order. */
export const told = (outputs: readonly Out[]): readonly Happening[] =>
  outputs.flatMap((output) => (output.type === 'report' ? [output.event] : []));

/** The bytes that were sent, together. */
export const sent = (outputs: readonly Out[]): Uint8Array =>
  new Uint8Array(
    Buffer.concat(outputs.flatMap((output) => (output.type === 'send' ? [Buffer.from(output.bytes)] : []))),
  );

export class Hand {
  readonly name = connNames();
  readonly machine: NetMachine<Happening, ActorCommand>;

  constructor(make: (name: () => Conn) => NetMachine<Happening, ActorCommand>) {
    this.machine = make(this.name);
  }

  feed(now: Millis, input: NetInput | CommandInput<ActorCommand>): readonly Out[] {
    return this.machine.handle(now, input);
  }

  tell(now: Millis, command: ActorCommand): readonly Out[] {
    return this.feed(now, { type: 'command', command });
  }

  bytes(now: Millis, conn: Conn, bytes: Uint8Array | string): readonly Out[] {
    return this.feed(now, {
      type: 'bytes',
      conn,
      bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes,
    });
  }

  closed(now: Millis, conn: Conn, why: Extract<NetInput, { type: 'closed' }>['why']): readonly Out[] {
    return this.feed(now, { type: 'closed', conn, why, received: 0, sent: 0 });
  }

  accepted(now: Millis, conn: Conn): readonly Out[] {
    return this.feed(now, { type: 'accepted', conn, listener: 0, from: { host: 'peer', port: 1 } });
  }

  deadline(): Millis | undefined {
    return this.machine.deadline();
  }
}

/** An order to open a tunnel; give what matters. */
export const order = (given: Partial<TunnelOrder> = {}): TunnelOrder => ({
  do: 'open',
  tunnel: 7,
  to: { host: 'relay', port: 4001 },
  mode: 'pool',
  client: 'home/client-01',
  up: 96,
  down: 1_000,
  close: 'half',
  patienceMillis: 1_000,
  stallMillis: 0,
  round: -1,
  ...given,
});
