/** What lets agents start in a quarter of the time: Node keeps what it made of our sources (stripped of types, compiled). */
import { join } from 'node:path';

/**
 * Variables for the environment of agents, and so of the programs they start. Node tells by itself what is out of date, and goes
 * without a cache where the folder cannot be written or read. None while coverage is measured: the two do not go together.
 * @param root folder of this repository
 */
export const compileCache = (root: string): Readonly<Record<string, string>> =>
  process.env.NODE_V8_COVERAGE !== undefined || process.env.NODE_COMPILE_CACHE !== undefined
    ? {}
    : { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compile') };
