/** One-line defects of a relay, switched on to prove that checks bite. Each wraps the correct machine and spoils one thing. */
import type {
  CommandInput,
  Millis,
  NetInput,
  NetMachine,
  NetOutput,
} from '../../../reference-impl/machine/machine.ts';
import type { RelayCommand, RelayReport } from '../../../reference-impl/port-relay/relay/relay-report.ts';

type Relay = NetMachine<RelayReport, RelayCommand>;
type Input = NetInput | CommandInput<RelayCommand>;
type Out = NetOutput<RelayReport>;
/** Spoils what goes in (undefined: swallowed) or what comes out. One value a run: it may remember. */
type Spoil = {
  readonly input?: (input: Input, now: Millis) => Input | undefined;
  readonly output?: (output: Out, now: Millis) => readonly Out[];
};

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytesOf = (line: string): Uint8Array => new TextEncoder().encode(line);

export const DEFECTS: Readonly<
  Record<string, { readonly clause: string; readonly says: string; readonly make: () => Spoil }>
> = {};

/** @throws Error for an unknown name */
export const defective = (name: string, relay: Relay): Relay => {
  const defect = DEFECTS[name];
  if (defect === undefined)
    throw new Error(`no defect is called ${name}; there are ${Object.keys(DEFECTS).join(', ')}`);
  const spoil = defect.make();
  return {
    deadline: () => relay.deadline(),
    handle: (now, input) => {
      const mine = spoil.input === undefined ? input : spoil.input(input, now);
      if (mine === undefined) return [];
      const outputs = relay.handle(now, mine);
      const { output } = spoil;
      return output === undefined ? outputs : outputs.flatMap((one) => output(one, now));
    },
  };
};
void text;
void bytesOf;
