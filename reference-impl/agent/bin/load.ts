import { type AgentConfig, readConfig } from '../config/agent-config.ts';
import { readConfigFile } from '../config/config-file.ts';
import { PLUGINS } from '../plugins.ts';
import type { Configured } from './command-line.ts';

/** The configuration that the command line and its file say together. @throws AgentError CONFIG_... */
export const loadConfig = async ({ file, fileMustExist, request }: Configured): Promise<AgentConfig> =>
  readConfig(await readConfigFile(file, fileMustExist), file, {
    request,
    plugins: PLUGINS,
    environment: process.env,
    platform: process.platform,
  });

/** Codes of mistakes that are made before anything runs. */
export const isUsage = (code: string): boolean => code.startsWith('CONFIG_');
