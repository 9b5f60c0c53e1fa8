/** What a target that dials is: a command that each case starts for itself, or an image that each case makes a container of. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { RunningClient } from '../case.ts';
import { ExecClient, filledIn } from './exec-client.ts';
import { wordsOf } from './exec-server.ts';
import { imageIsThere, startImageClient } from './image-client.ts';
import { TargetError } from './target.ts';

export type ImageCommand = { readonly image: string };
/** A command line, or an image with the words of its command. */
export type ClientCommand = string | ImageCommand;

export interface StartedClient extends RunningClient {
  /** The end of a case: nothing of it outlives it. */
  end(): Promise<void>;
}

export const commandText = (command: ClientCommand): string =>
  typeof command === 'string' ? command : `image ${command.image}`;

/**
 * @param given what stands for each `{name}`
 * @param folders of the case: a container sees them where they are
 * @throws TargetError for a `{name}` that nobody gives
 */
export const startClient = async (
  command: ClientCommand,
  given: Readonly<Record<string, string>>,
  folders: readonly string[],
): Promise<StartedClient> =>
  typeof command === 'string'
    ? new ExecClient(filledIn(wordsOf(command), given))
    : startImageClient(command.image, given, folders);

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

const found = (program: string): boolean =>
  program.includes('/')
    ? isProgram(program)
    : (process.env.PATH ?? '').split(delimiter).some((folder) => isProgram(join(folder, program)));

/**
 * Before the first case: what cannot even be started would fail them all, each with the same riddle.
 * @throws TargetError: what is not there, and what to do
 */
export const refuseMissing = async (command: ClientCommand): Promise<void> => {
  if (typeof command !== 'string') return imageIsThere(command.image);
  const [program = ''] = wordsOf(command);
  // a name with a {word} in it is known once a case fills it in
  if (process.platform === 'win32' || program.includes('{') || found(program)) return;
  throw new TargetError(
    program.includes('/')
      ? `${program} cannot be started: there is no such program here, or it may not be run.\nPaths are seen from ${process.cwd()}.`
      : `${program} cannot be started: no folder of PATH has it.\nGive its path: --exec './${command}'.`,
  );
};
