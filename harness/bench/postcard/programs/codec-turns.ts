/**
 * One contender of the postcard bench: `codec-turns SET CONTENDER POINTS` says `ready` and what each case's bytes are, then answers
 * lines `CASE COUNT` with the nanoseconds of CPU that COUNT repetitions took, threads of the engine included, and `check` with `same`
 * when values come back as they were.
 */
import { flushCompileCache } from 'node:module';
import { createInterface } from 'node:readline';
import { SETS, type SetName } from '../cases.ts';

const [set = '', contender = '', points = '0'] = process.argv.slice(2);
/** A word for the bench's own message, which has no room for a stack. */
const fail = (error: Error): never => {
  console.error(error.message);
  process.exit(1);
};
const cases = await SETS[set as SetName](contender, Number(points)).catch(fail);
// for the processes that start after this one; it may end by a signal
flushCompileCache();
const sizes = Object.fromEntries(cases.map(({ name, bytes }) => [name, bytes]));
console.log(`ready ${JSON.stringify(sizes)}`);

const collect = (globalThis as { gc?: (how: { readonly type: 'minor' }) => void }).gc;

const check = (): void => {
  try {
    for (const one of cases) one.check?.();
  } catch (error) {
    fail(error as Error);
  }
};

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'check') {
    check();
    console.log('same');
    continue;
  }
  const [name = '', count = ''] = line.split(' ');
  const found = cases.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no case is called ${name} in ${set}`);
  // what the turn before left behind is not this one's to clear up; where messages are kept, all of it is what is measured
  if (set !== 'kept') collect?.({ type: 'minor' });
  const before = process.cpuUsage();
  found.run(Number(count));
  const { user, system } = process.cpuUsage(before);
  console.log(String((user + system) * 1000));
}
