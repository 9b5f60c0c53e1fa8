import { AgentError } from '../agent-error.ts';
import { readOverrides } from '../config/agent-config.ts';
import { readConfigFile } from '../config/config-file.ts';
import { substitute } from '../config/substitute.ts';
import { merged, readToml } from '../config/toml-text.ts';
import { askAgent } from '../control/control-client.ts';
import { DEFAULT_SOCKET_PATH } from '../control/socket-control-plugin.ts';
import type { WantedCtl } from './command-line.ts';

const ANSWER_MILLIS = 10_000;

type Tables = { readonly plugins?: { readonly 'socket-control'?: { readonly socket_path?: unknown } } };

/** Where the agent of this configuration listens. Of the file only this is looked at. */
const socketOf = async ({ socket, file, fileMustExist, request }: WantedCtl): Promise<string> => {
  if (socket !== undefined) return socket;
  const text = await readConfigFile(file, fileMustExist);
  const inFile = text === undefined ? {} : readToml(substitute(text, process.env, file), file);
  const tables = merged(inFile, readOverrides(request.overrides, process.env));
  const path = (tables as Tables).plugins?.['socket-control']?.socket_path;
  return typeof path === 'string' ? path : DEFAULT_SOCKET_PATH;
};

/** Says lines to a running agent. @returns the exit code: 0 all were obeyed, 1 one was not, 2 configuration, 3 no agent answers */
export const runCtl = async (wanted: WantedCtl): Promise<number> => {
  try {
    let obeyed = 0;
    const path = await socketOf(wanted);
    await askAgent(
      path,
      wanted.lines,
      (reply) => {
        if (reply === 'ok') obeyed++;
        process.stdout.write(`${reply}\n`);
      },
      ANSWER_MILLIS,
    );
    return obeyed === wanted.lines.length ? 0 : 1;
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    process.stderr.write(`relay-agent: ${error.message}\n`);
    return error.code === 'CONTROL_UNREACHABLE' ? 3 : 2;
  }
};
