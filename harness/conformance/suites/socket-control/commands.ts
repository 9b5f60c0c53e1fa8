/** What each command does, as the stored points show. */
import { existsSync } from 'node:fs';
import { type ClientContext, clientCases } from '../../case.ts';
import { Agent } from './controlled.ts';

const ENDS_MILLIS = 15_000;

/** `pause` rests what `resume` lets go on. */
const pausing = (name: string, title: string, pause: string, resume: string, clause = 'SCTL-CMD-2') => ({
  name: `effect/${name}`,
  title,
  clause,
  needs: [],
  run: async (it: ClientContext) => {
    const agent = await Agent.running(it);
    for (const round of [1, 2]) {
      await agent.obeys(pause);
      await agent.say(resume);
      await agent.flows(`"${resume}" of round ${round}`);
    }
  },
});

const ending = (word: string) => ({
  name: `end/${word}`,
  title: `${word} ends the agent`,
  clause: 'SCTL-CMD-1',
  needs: [],
  run: async (it: ClientContext) => {
    const agent = await Agent.running(it);
    await agent.say(word);
    it.observe(`exit code ${await agent.program.exit(ENDS_MILLIS)}`);
  },
});

const selects = (name: string, pattern: string, clause = 'SCTL-PATTERN-1') => ({
  name: `pattern/${name}`,
  title: `${pattern} is the memory source, and no other`,
  clause,
  needs: ['procfs'],
  run: async (it: ClientContext) => {
    const agent = await Agent.running(it);
    await agent.obeys(`control ${pattern} pause`);
    await agent.flows('that', 'kernel');
    await agent.say(`control ${pattern} resume`);
    await agent.flows('its resume', 'memory');
  },
});

export const COMMANDS = clientCases(
  pausing(
    'pause-resume',
    'pause rests all sources, resume lets them go on',
    'control source pause',
    'control source resume',
  ),
  pausing(
    'disable-enable',
    'disable and enable mean pause and resume',
    'control source disable',
    'control source enable',
  ),
  pausing(
    'output',
    'a paused output writes nothing until resume',
    'control output pause',
    'control output resume',
  ),
  pausing(
    'everything',
    '* pauses everything, and resumes it',
    'control * pause',
    'control * resume',
    'SCTL-PATTERN-1',
  ),
  pausing(
    'everything-of-all',
    '*/*/* is everything as well',
    'control */*/* pause',
    'control */*/* resume',
    'SCTL-PATTERN-1',
  ),
  pausing(
    'output-of-all',
    'output/*/* is every output',
    'control output/*/* pause',
    'control output/*/* resume',
    'SCTL-PATTERN-1',
  ),
  ...['sources', 'src', 'all', 'any'].map((word) =>
    pausing(
      `word-${word}`,
      `${word} is a kind`,
      `control ${word} pause`,
      `control ${word} resume`,
      'SCTL-CMD-6',
    ),
  ),
  ...['outputs', 'out'].map((word) =>
    pausing(
      `word-${word}`,
      `${word} is a kind`,
      `control ${word} pause`,
      `control ${word} resume`,
      'SCTL-CMD-6',
    ),
  ),
  ...['source', 'output'].map((kind) => ({
    name: `effect/stop-${kind}`,
    title: `stop of the ${kind}s is for good, and the agent goes on`,
    clause: 'SCTL-CMD-3',
    needs: [],
    run: async (it: ClientContext) => {
      const agent = await Agent.running(it);
      await agent.obeys(`control ${kind} stop`);
      await agent.say(`control ${kind} resume`);
      await agent.rests(`"control ${kind} resume" after its stop`);
      await agent.say('shutdown');
      it.observe(`exit code ${await agent.program.exit(ENDS_MILLIS)} in the end`);
    },
  })),
  {
    name: 'effect/stop-one',
    title: 'stop of one source leaves the others',
    clause: 'SCTL-CMD-3',
    needs: ['procfs'],
    run: async (it) => {
      const agent = await Agent.running(it);
      await agent.obeys('control source/procfs/memory stop');
      await agent.flows('the stop of another', 'kernel');
    },
  },
  ...['set-period', 'set-poll-interval'].map((word) => ({
    name: `effect/${word}`,
    title: `${word} makes sources measure that often, slower and faster`,
    clause: word === 'set-period' ? 'SCTL-CMD-4' : 'SCTL-CMD-6',
    needs: [],
    run: async (it: ClientContext) => {
      const agent = await Agent.running(it);
      await agent.say(`control source ${word} 1s`);
      await it.wait(1_500);
      const before = agent.polls('memory').length;
      await it.wait(3_000);
      const slow = agent.polls('memory').length - before;
      it.observe(`${slow} polls in three seconds at 1 s`);
      if (slow > 5) it.broken('three polls in three seconds', `${slow}`);
      if (slow === 0) {
        it.blameLoad(4_500, 'polls at a period of 1 s');
        it.broken('three polls in three seconds', 'none');
      }
      await agent.say(`control source ${word} 50ms`);
      await it.wait(1_500);
      const between = agent.polls('memory').length;
      await it.wait(2_000);
      const fast = agent.polls('memory').length - between;
      it.observe(`${fast} polls in two seconds at 50 ms`);
      if (fast < 10) {
        it.blameLoad(3_500, 'polls at a period of 50 ms');
        it.broken('some 40 polls in two seconds', `${fast}`);
      }
    },
  })),
  {
    name: 'effect/compound-duration',
    title: 'a duration of several parts is a duration',
    clause: 'SCTL-CMD-4',
    needs: [],
    run: async (it) => {
      const agent = await Agent.running(it);
      await agent.obeys('control source set-period 1h30m');
      await agent.say('control source set-period 50ms');
      await agent.flows('a shorter period again');
    },
  },
  {
    name: 'effect/trigger-now',
    title: 'trigger-now is taken; whether it polls is observed',
    clause: 'SCTL-CMD-5',
    needs: [],
    run: async (it) => {
      const agent = await Agent.running(it);
      await agent.obeys('control source set-period 1h');
      const before = agent.count('memory');
      const { reply, ended } = await agent.say('control source trigger-now');
      if (ended || reply.startsWith('error'))
        it.broken('a line that is taken', reply.trim() || 'the connection is closed');
      await it.wait(500);
      it.observe(agent.count('memory') > before ? 'it polls' : 'it is ignored');
    },
  },
  {
    name: 'effect/output-keeps',
    title: 'what is measured while the output rests for a second is written after it',
    clause: 'SCTL-CMD-8',
    needs: [],
    run: async (it) => {
      const agent = await Agent.running(it);
      await agent.obeys('control output pause');
      await it.wait(1_000);
      await agent.say('control output resume');
      await agent.flows('resume');
      await it.wait(500);
      const times = agent.polls('memory');
      const gap = Math.max(...times.slice(1).map((time, n) => time - (times[n] as number)));
      it.observe(`the longest time without a poll is ${Math.round(gap)} ms, at 40 ms`);
      if (gap > 700) {
        it.blameLoad(5_000, 'polls');
        it.broken('no gap of the length of the pause', `${Math.round(gap)} ms without a poll`);
      }
    },
  },
  selects('exact', 'source/procfs/memory'),
  selects('prefix', 'source/proc*/mem*'),
  selects('suffix', 'source/*/*ory'),
  selects('any-plugin', 'source/*/memory'),
  selects('document', 'source/plugin-procfs/memory', 'SCTL-PATTERN-2'),
  {
    name: 'pattern/nothing',
    title: 'a pattern that matches nothing acts on nothing, and is no mistake',
    clause: 'SCTL-PATTERN-1',
    needs: [],
    run: async (it) => {
      const agent = await Agent.running(it);
      const lines = [
        'control source/nope/* pause',
        'control transform pause',
        'control output/*/nope pause',
        'control source/a/b/c pause',
      ];
      for (const line of lines) {
        const { reply, ended } = await agent.say(line);
        if (ended || reply.startsWith('error'))
          it.observe(`"${line}" is refused: ${reply.trim() || 'closed'}`);
      }
      await agent.flows(lines.join(', '));
      await agent.flows('the same', 'kernel');
    },
  },
  ending('shutdown'),
  ending('stop'),
  {
    name: 'end/while-paused',
    title: 'shutdown ends an agent whose sources and outputs rest',
    clause: 'SCTL-CMD-1',
    needs: [],
    run: async (it) => {
      const agent = await Agent.running(it);
      await agent.obeys('control * pause');
      await agent.say('shutdown');
      it.observe(`exit code ${await agent.program.exit(ENDS_MILLIS)}`);
    },
  },
  {
    name: 'end/in-order',
    title: 'after shutdown the exit code is 0, the socket gone, open connections closed',
    clause: 'SCTL-CMD-7',
    needs: [],
    run: async (it) => {
      const agent = await Agent.running(it);
      const other = await agent.dial('other');
      await agent.say('shutdown');
      await other.expectEnd('a connection to an agent that ends', ENDS_MILLIS);
      const code = await agent.program.exit(ENDS_MILLIS);
      if (code !== 0) it.broken('exit code 0', String(code));
      if (existsSync(agent.place.socket))
        it.broken('no socket after the end', `${agent.place.socket} is there`);
    },
  },
  {
    name: 'end/sigterm',
    title: 'SIGTERM takes the socket away as well',
    clause: 'SCTL-CMD-7',
    needs: [],
    run: async (it) => {
      const agent = await Agent.running(it);
      agent.program.signal('SIGTERM');
      it.observe(`ended by ${await agent.program.exit(ENDS_MILLIS)}`);
      if (existsSync(agent.place.socket))
        it.broken('no socket after the end', `${agent.place.socket} is there`);
    },
  },
);
