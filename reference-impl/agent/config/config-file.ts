import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { AgentError, reasonOf } from '../agent-error.ts';

/** @returns undefined when there is no such file and none is demanded @throws AgentError CONFIG_FILE */
export const readConfigFile = async (file: string, mustExist: boolean): Promise<string | undefined> => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (missing && !mustExist) return undefined;
    throw new AgentError({
      code: 'CONFIG_FILE',
      where: file,
      expected: 'a configuration file in UTF-8',
      got: missing ? 'no such file' : reasonOf(error),
      hint: missing
        ? 'write one with relay-agent config regen'
        : 'make it readable, or name another with --config',
      cause: error,
    });
  }
};

/** Writes a file whole or not at all. @throws AgentError CONFIG_FILE */
export const writeConfigFile = async (file: string, text: string): Promise<void> => {
  const beside = `${file}.${process.pid}.new`;
  try {
    await writeFile(beside, text, { mode: 0o600 });
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw new AgentError({
      code: 'CONFIG_FILE',
      where: file,
      expected: 'a place for a configuration file',
      got: reasonOf(error),
      hint: 'name another with --config',
      cause: error,
    });
  }
};
