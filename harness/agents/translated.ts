import type {
  CommandInput,
  Millis,
  NetInput,
  NetMachine,
  NetOutput,
} from '../../reference-impl/machine/machine.ts';
import type { Happening } from '../trace/trace.ts';
import type { ActorCommand } from './actor-spec.ts';

/**
 * A machine of the reference implementation or of a workspace, spoken to in the lab's words: commands are translated on their
 * way in (undefined: not for this machine), reports on their way out (none: nobody needs to know).
 */
export const translated = <Report, Command>(
  machine: NetMachine<Report, Command>,
  command: (command: ActorCommand) => Command | undefined,
  report: (report: Report) => readonly Happening[],
): NetMachine<Happening, ActorCommand> => ({
  deadline: () => machine.deadline(),
  handle: (now: Millis, input: NetInput | CommandInput<ActorCommand>): readonly NetOutput<Happening>[] => {
    let mine: NetInput | CommandInput<Command>;
    if (input.type === 'command') {
      const told = command(input.command);
      if (told === undefined) return [];
      mine = { type: 'command', command: told };
    } else mine = input;
    const outputs = machine.handle(now, mine);
    if (!outputs.some((output) => output.type === 'report'))
      return outputs as readonly NetOutput<Happening>[];
    return outputs.flatMap((output): readonly NetOutput<Happening>[] => {
      if (output.type !== 'report') return [output];
      return report(output.event).map((event): NetOutput<Happening> => ({ type: 'report', event }));
    });
  },
});
