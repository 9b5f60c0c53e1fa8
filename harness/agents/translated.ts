import {
  type CommandInput,
  type Millis,
  type NetInput,
  type NetMachine,
  type NetOutput,
  NOTHING,
} from '../../reference-impl/machine/machine.ts';
import type { Happening } from '../trace/trace.ts';
import type { ActorCommand } from './actor-spec.ts';

/**
 * The outputs of a machine with its reports said in the trace's words. Most lists have no report in them and are passed on as
 * they are: this stands between every machine of a simulated world and its driver.
 */
export const retold = <Report>(
  outputs: readonly NetOutput<Report>[],
  report: (report: Report) => readonly Happening[],
): readonly NetOutput<Happening>[] => {
  let at = 0;
  while (at < outputs.length && outputs[at]?.type !== 'report') at++;
  if (at === outputs.length) return outputs as readonly NetOutput<Happening>[];
  const told: NetOutput<Happening>[] = [];
  for (let i = 0; i < outputs.length; i++) {
    const output = outputs[i] as NetOutput<Report>;
    if (output.type !== 'report') {
      told.push(output);
      continue;
    }
    const events = report(output.event);
    for (let j = 0; j < events.length; j++) told.push({ type: 'report', event: events[j] as Happening });
  }
  return told;
};

/** One object and no closures: a large world has one of these for each of its machines. */
class Translated<Report, Command> implements NetMachine<Happening, ActorCommand> {
  readonly #machine: NetMachine<Report, Command>;
  readonly #command: (command: ActorCommand) => Command | undefined;
  readonly #report: (report: Report) => readonly Happening[];

  constructor(
    machine: NetMachine<Report, Command>,
    command: (command: ActorCommand) => Command | undefined,
    report: (report: Report) => readonly Happening[],
  ) {
    this.#machine = machine;
    this.#command = command;
    this.#report = report;
  }

  deadline(): Millis | undefined {
    return this.#machine.deadline();
  }

  handle(now: Millis, input: NetInput | CommandInput<ActorCommand>): readonly NetOutput<Happening>[] {
    if (input.type !== 'command') return retold(this.#machine.handle(now, input), this.#report);
    const told = this.#command(input.command);
    return told === undefined
      ? NOTHING
      : retold(this.#machine.handle(now, { type: 'command', command: told }), this.#report);
  }
}

/** For machines whose reports are words of the trace as they are: outputs pass without a look, which a crowd's clients notice. */
class Commandless implements NetMachine<Happening, ActorCommand> {
  readonly #machine: NetMachine<Happening, never>;

  constructor(machine: NetMachine<Happening, never>) {
    this.#machine = machine;
  }

  deadline(): Millis | undefined {
    return this.#machine.deadline();
  }

  handle(now: Millis, input: NetInput | CommandInput<ActorCommand>): readonly NetOutput<Happening>[] {
    return input.type === 'command' ? NOTHING : this.#machine.handle(now, input);
  }
}

/** A machine that speaks the trace's words itself and hears no commands of the lab. */
export const commandless = (machine: NetMachine<Happening, never>): NetMachine<Happening, ActorCommand> =>
  new Commandless(machine);

/**
 * A machine of the reference implementation or of a workspace, spoken to in the lab's words: commands are translated on their
 * way in (undefined: not for this machine), reports on their way out (none: nobody needs to know).
 */
export const translated = <Report, Command>(
  machine: NetMachine<Report, Command>,
  command: (command: ActorCommand) => Command | undefined,
  report: (report: Report) => readonly Happening[],
): NetMachine<Happening, ActorCommand> => new Translated(machine, command, report);
