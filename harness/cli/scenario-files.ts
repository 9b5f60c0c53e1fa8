/** The scenarios of this repository: one file each in scenarios/. A path to a file of one's own works as well. */
import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Scenario } from '../scenario/scenario.ts';
import { unknown } from './usage.ts';

const FOLDER = fileURLToPath(new URL('../../scenarios/', import.meta.url));
const EXTENSION = /\.(ts|js)$/;

export const scenarioNames = (): readonly string[] =>
  readdirSync(FOLDER)
    .filter((file) => EXTENSION.test(file) && !file.includes('.test.') && !file.endsWith('.d.ts'))
    .map((file) => file.replace(EXTENSION, ''))
    .sort();

/** @throws UsageError for a name that no file has */
export const loadScenario = async (name: string): Promise<Scenario> => {
  const own = /[\\/]|\.(ts|js)$/.test(name) ? resolve(name) : undefined;
  if (own !== undefined && !existsSync(own)) throw unknown('scenario file', name, scenarioNames());
  if (own === undefined && !scenarioNames().includes(name)) throw unknown('scenario', name, scenarioNames());
  const file = own ?? [`${FOLDER}${name}.ts`, `${FOLDER}${name}.js`].find((path) => existsSync(path)) ?? '';
  const module = (await import(pathToFileURL(file).href)) as { readonly default: Scenario };
  return module.default;
};
