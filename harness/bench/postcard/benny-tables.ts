/** benny's own tables: every contender of a workload one after the other, in one process, as operations a second. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const SUITE = fileURLToPath(new URL('programs/codec-suite.ts', import.meta.url));

export type BennyTables = {
  readonly points: number;
  /** Of one contender in one direction. */
  readonly bennySeconds: number;
  readonly nearestOnly: boolean;
};

const NEAREST = ['postcard', 'msgpackr-records', 'protobufjs', 'avsc', 'json'];
const MORE = ['cbor-x-records', 'msgpack', 'protobuf-es', 'bson', 'v8', 'serde'];

const run = (args: readonly string[]): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = spawn(process.execPath, ['--no-warnings', SUITE, ...args], { stdio: 'inherit' });
  child.once('error', reject);
  child.once('exit', (code) =>
    code === 0 ? resolve() : reject(new Error(`benny's table ended with ${code}`)),
  );
  return promise;
};

/** Lets benny draw its tables on this terminal. @throws Error when a contender fails */
export const drawBennyTables = async ({ points, bennySeconds, nearestOnly }: BennyTables): Promise<void> => {
  const contenders = nearestOnly ? NEAREST : [...NEAREST, ...MORE];
  await run(['measurements', String(points), String(bennySeconds), ...contenders]);
  if (!nearestOnly) await run(['small', '0', String(bennySeconds), ...contenders]);
};
