/** What becomes of targets when one of them does not come up. */
import t from 'tap';
import type { Case, ServerContext } from '../case.ts';
import { EVERYTHING } from '../targets/capabilities.ts';
import { type RunningServer, type ServerTarget, TargetError } from '../targets/target.ts';
import type { Canary } from './canary.ts';
import { DIRECT } from './path.ts';
import { runServerCases } from './run-server-cases.ts';

const canary = { worstMillis: () => 1, stalledShare: () => 0 } as unknown as Canary;

t.test('a target that does not come up ends the run, and leaves no other running', async (t) => {
  let [started, stopped, begun, ended] = [0, 0, 0, 0];
  const died = new Set<number>();
  const target: ServerTarget = {
    text: 'a fake',
    restartable: true,
    start: async (): Promise<RunningServer> => {
      const number = ++started;
      // the second is the one of `own/target`; the first goes with it, and whoever notices would start another
      if (number === 2) {
        died.add(1);
        throw new TargetError('the port is taken');
      }
      return {
        ...{ address: { host: '127.0.0.1', port: 1 }, outputFile: undefined, files: new Set() },
        get died() {
          return died.has(number) ? 'exit code 1' : undefined;
        },
        ...{ alive: async () => !died.has(number), output: () => '', holdings: async () => undefined },
        signal: async () => undefined,
        stop: async () => {
          stopped++;
        },
      };
    },
  };
  const one = (name: string, more: Partial<Case<ServerContext>> = {}): Case<ServerContext> => ({
    ...{ name, title: 'it holds', clause: 'PORT-CTRL-2', needs: [], ...more },
    run: async (context) => {
      begun++;
      await context.wait(20);
      ended++;
    },
  });
  const cases = [
    one('own/target', { alone: 'target' }),
    ...Array.from({ length: 12 }, (_, i) => one(`a/${i}`)),
  ];
  await t.rejects(
    runServerCases({
      profile: { name: 'fake', role: 'server', cases } as never,
      ...{ cases, target, path: DIRECT, jobs: 4, rerunOf: (id: string) => id, done: () => undefined },
      surroundings: { capabilities: EVERYTHING, canary, seed: 1 },
      signal: new AbortController().signal,
    }),
    { name: 'TargetError', message: 'the port is taken' },
  );
  t.same([begun, ended], [4, 4], 'what was under way came to its end, and no more was begun');
  t.equal(started - 1, stopped, 'whoever was started was stopped');
});
