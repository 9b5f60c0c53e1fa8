/** What a defect is: one thing of the correct relay spoiled, and the clause that must be found broken by it. */
import type {
  CommandInput,
  Conn,
  Millis,
  NetInput,
  NetMachine,
  NetOutput,
} from '../../../reference-impl/machine/machine.ts';
import type { RelayConfig } from '../../../reference-impl/port-relay/relay/relay-machine.ts';
import type { RelayCommand, RelayReport } from '../../../reference-impl/port-relay/relay/relay-report.ts';

export type Relay = NetMachine<RelayReport, RelayCommand>;
export type Input = NetInput | CommandInput<RelayCommand>;
export type Out = NetOutput<RelayReport>;

export type Defect = {
  /** The clause that a run must find broken, whatever else it finds. */
  readonly clause: string;
  /** What is wrong with this relay, in a few words. */
  readonly says: string;
  /** `real`: it ends its process, which a simulated relay has not. */
  readonly labs: 'all' | 'real';
  /** Spoils what the relay is made of. */
  readonly config?: (config: RelayConfig) => RelayConfig;
  /** Spoils what it hears and says. The result may remember things: one a relay. */
  readonly wrap?: (relay: Relay) => Relay;
};

/** The same relay, heard and spoken through `handle`. */
export const through = (
  relay: Relay,
  handle: (now: Millis, input: Input) => readonly Out[],
  deadline: () => Millis | undefined = () => relay.deadline(),
): Relay => ({ handle, deadline });

/** What an output is about; undefined: about no connection, or about two. */
export const connOf = (output: Out): Conn | undefined => ('conn' in output ? output.conn : undefined);

/** Bytes as Latin-1: control lines are ASCII, and anything else must survive a look at it. */
export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
export const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
