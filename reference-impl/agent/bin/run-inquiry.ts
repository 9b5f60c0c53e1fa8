import { AgentError } from '../agent-error.ts';
import { defaultConfigText } from '../config/agent-config.ts';
import { writeConfigFile } from '../config/config-file.ts';
import { PLUGINS } from '../plugins.ts';
import type { WantedInquiry } from './command-line.ts';
import { loadConfig } from './load.ts';

const answer = async (wanted: WantedInquiry): Promise<string> => {
  if (wanted.type === 'regen') {
    await writeConfigFile(wanted.file, defaultConfigText(PLUGINS, wanted.request.plugins));
    return `default configuration written to ${wanted.file}`;
  }
  const all = PLUGINS.map(({ name }) => name);
  if (!wanted.status) return all.join('\n');
  const { plugins } = await loadConfig(wanted);
  const running = new Set(plugins.map(({ name }) => name));
  return all.map((name) => `${name}: ${running.has(name) ? 'enabled' : 'disabled'}`).join('\n');
};

/** Questions that start nothing. @returns the exit code */
export const runInquiry = async (wanted: WantedInquiry): Promise<number> => {
  try {
    process.stdout.write(`${await answer(wanted)}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    process.stderr.write(`relay-agent: ${error.message}\n`);
    return 2;
  }
};
