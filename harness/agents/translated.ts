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
  const told = outputs.slice(0, at) as NetOutput<Happening>[];
  for (; at < outputs.length; at++) {
    const output = outputs[at] as NetOutput<Report>;
    if (output.type !== 'report') told.push(output);
    else for (const event of report(output.event)) told.push({ type: 'report', event });
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

/**
 * A machine of the reference implementation or of a workspace, spoken to in the lab's words: commands are translated on their
 * way in (undefined: not for this machine), reports on their way out (none: nobody needs to know).
 */
export const translated = <Report, Command>(
  machine: NetMachine<Report, Command>,
  command: (command: ActorCommand) => Command | undefined,
  report: (report: Report) => readonly Happening[],
): NetMachine<Happening, ActorCommand> => new Translated(machine, command, report);
