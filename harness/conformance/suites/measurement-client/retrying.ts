/** What the client does when its server refuses it, leaves it, or comes back. */
import { type ClientContext, clientCases } from '../../case.ts';
import type { WireListener } from '../../wire/wire-listener.ts';
import { frameOf, greetResponse } from '../measurement-server/messages.ts';
import { Served, settingsWith, stage, startTowards } from './server-side.ts';

/** What a program may take beyond a wait to be connected again. */
const SLACK_MILLIS = 700;
/** Timers may fire early by the grain of a clock. */
const EARLY = 0.95;

/** Resets the next `count` connections. @returns how long after each reset the next connection came */
const waitsOf = async (it: ClientContext, relay: WireListener, count: number): Promise<readonly number[]> => {
  const waits: number[] = [];
  let last: number | undefined;
  for (let n = 0; n < count; n++) {
    const { end } = await Served.accepted(it, relay);
    if (last !== undefined) waits.push(performance.now() - last);
    end.reset();
    last = performance.now();
  }
  return waits;
};

const fits = (it: ClientContext, n: number, waited: number, wanted: number): void => {
  const said = `retry ${n} after ${Math.round(waited)} ms`;
  if (waited < wanted * EARLY) it.broken(`retry ${n} after ${wanted} ms`, said);
  if (waited <= wanted + SLACK_MILLIS) return;
  it.blameLoad(waited, said);
  // the path may hold the reset or the SYN back
  if (waited > wanted + SLACK_MILLIS + (it.patienceMillis - 5_000))
    it.broken(`retry ${n} after ${wanted} ms`, said);
};

const codeShown = (it: ClientContext, how: number | string): void => {
  if (typeof how === 'string') it.broken('an end in order', `it was ended by ${how}`);
  if (how === 0) it.broken('an exit code other than 0', '0');
  it.observe(`exit code ${how}`);
};

export const RETRYING = clientCases(
  {
    name: 'retry/schedule',
    title: 'retries wait initial_delay, then twice as long each, max_delay at most',
    clause: 'MEAS-RETRY-1',
    needs: [],
    limitMillis: 40_000,
    run: async (it) => {
      const { relay } = await stage(it, { maxTimes: 10, initialMillis: 300, maxMillis: 1_000 });
      const waits = await waitsOf(it, relay, 6);
      it.observe(`waits of ${waits.map(Math.round).join(', ')} ms`);
      for (const [n, wanted] of [300, 600, 1_000, 1_000, 1_000].entries())
        fits(it, n + 1, waits[n] as number, wanted);
    },
  },
  {
    name: 'retry/initial-above-max',
    title: 'an initial_delay above max_delay waits max_delay',
    clause: 'MEAS-RETRY-1',
    needs: [],
    run: async (it) => {
      const { relay } = await stage(it, { maxTimes: 10, initialMillis: 6_000, maxMillis: 500 });
      const waits = await waitsOf(it, relay, 3);
      it.observe(`waits of ${waits.map(Math.round).join(', ')} ms`);
      for (const [n, waited] of waits.entries()) fits(it, n + 1, waited, 500);
    },
  },
  ...[0, 2].map((maxTimes) => ({
    name: `retry/count-${maxTimes}`,
    title: `with max_times = ${maxTimes} there are ${maxTimes} retries and no more`,
    clause: 'MEAS-RETRY-2',
    needs: [],
    run: async (it: ClientContext) => {
      const { relay } = await stage(it, { maxTimes, initialMillis: 100, maxMillis: 200 });
      await waitsOf(it, relay, maxTimes + 1);
      await relay.expectNobody(3_000, `after ${maxTimes} retries`);
    },
  })),
  {
    name: 'retry/gives-up',
    title: 'giving up ends the program with an error',
    clause: 'MCLI-BACK-4',
    needs: [],
    run: async (it) => {
      const { relay, client } = await stage(it, { maxTimes: 1, initialMillis: 100, maxMillis: 100 });
      await waitsOf(it, relay, 2);
      codeShown(it, await client.exit(15_000));
    },
  },
  {
    name: 'retry/gives-up-refused',
    title: 'a server that is never there is given up as well',
    clause: 'MCLI-BACK-4',
    needs: [],
    run: async (it) => {
      const gone = await it.listen('gone');
      const { port } = gone;
      await gone.close();
      const settings = settingsWith({ maxTimes: 2, initialMillis: 100, maxMillis: 100 });
      codeShown(it, await (await startTowards(it, port, settings)).exit(15_000));
    },
  },
  {
    name: 'retry/success-starts-afresh',
    title: 'after a success the next failure waits initial_delay again',
    clause: 'MEAS-RETRY-2',
    needs: [],
    limitMillis: 40_000,
    run: async (it) => {
      const { relay } = await stage(it, { maxTimes: 3, initialMillis: 250, maxMillis: 8_000 });
      await waitsOf(it, relay, 3);
      const served = await Served.greeted(it, relay);
      await served.batch();
      await served.listen(500);
      served.end.reset();
      const began = performance.now();
      const again = await Served.accepted(it, relay);
      const waited = performance.now() - began;
      it.observe(`back after ${Math.round(waited)} ms`);
      // without a fresh start this would be the last wait: 2000 ms
      if (waited > 1_500) {
        it.blameLoad(waited, 'the first retry after a success');
        it.broken('a retry after 250 ms', `after ${Math.round(waited)} ms`);
      }
      again.end.reset();
      await waitsOf(it, relay, 2);
    },
  },
  {
    name: 'back/up-later',
    title: 'a server that comes up after the client is found',
    clause: 'MEAS-BACK-1',
    needs: [],
    limitMillis: 40_000,
    run: async (it) => {
      const first = await it.listen('server');
      const { port } = first;
      await first.close();
      await startTowards(it, port, settingsWith({ maxTimes: 60, initialMillis: 200, maxMillis: 500 }));
      await it.wait(1_500);
      // a program that starts slowly has not been refused yet: this dial shows that it runs, and the next ones are refused
      const brief = await it.listen('server', port);
      (await Served.accepted(it, brief)).end.reset();
      await brief.close();
      await it.wait(1_000);
      const served = await Served.greeted(it, await it.listen('server', port));
      await served.batch();
    },
  },
  ...(['reset', 'fin'] as const).map((how) => ({
    name: `back/after-${how}`,
    title: `after ${how === 'fin' ? 'FIN' : 'RST'} of its server it greets, registers and sends anew`,
    clause: how === 'fin' ? 'MCLI-BACK-2' : 'MCLI-BACK-1',
    needs: [],
    limitMillis: 40_000,
    run: async (it: ClientContext) => {
      const { relay } = await stage(it);
      const first = await Served.greeted(it, relay);
      await first.batch();
      if (how === 'fin') first.end.end();
      else first.end.reset();
      const began = performance.now();
      const again = await Served.greeted(it, relay);
      it.observe(`back after ${Math.round(performance.now() - began)} ms`);
      const next = await again.next('what follows the second greeting');
      if (next.content.tag !== 'RegisterMetrics') it.broken('RegisterMetrics', next.content.tag);
      await again.batch();
      await again.listen(500);
      const times = [...first.points, ...again.points].map(
        ({ timestamp: { secs, nanos } }) => Number(secs) * 1e3 + nanos / 1e6,
      );
      times.sort((a, b) => a - b);
      const gap = Math.max(...times.slice(1).map((time, n) => time - (times[n] as number)));
      it.observe(`the longest time without a point is ${Math.round(gap)} ms, at polls of 50 ms`);
    },
  })),
  {
    name: 'back/thrice',
    title: 'three servers one after the other get their registration and points each',
    clause: 'MCLI-BACK-1',
    needs: [],
    limitMillis: 40_000,
    run: async (it) => {
      const { relay } = await stage(it);
      for (let n = 0; n < 3; n++) {
        const served = await Served.greeted(it, relay);
        const points = await served.batch();
        const known = served.heard.flatMap(({ content }) =>
          content.tag === 'RegisterMetrics' ? content.value.metrics : [],
        );
        for (const { metric_id } of points)
          if (!known.some(({ id }) => id === metric_id))
            it.broken('registered metrics', `a point of ${metric_id}`);
        await served.listen(300);
        served.end.reset();
      }
    },
  },
  ...[
    { name: 'fin-unanswered', title: 'FIN before the answer', bytes: 0, how: 'fin' as const },
    {
      name: 'fin-within-length',
      title: 'FIN within the length of the answer',
      bytes: 2,
      how: 'fin' as const,
    },
    { name: 'fin-within-answer', title: 'FIN within the answer', bytes: 10, how: 'fin' as const },
    { name: 'reset-unanswered', title: 'RST before the answer', bytes: 0, how: 'reset' as const },
    { name: 'reset-within-answer', title: 'RST within the answer', bytes: 10, how: 'reset' as const },
  ].map(({ name, title, bytes, how }) => ({
    name: `back/${name}`,
    title: `${title} is an error that is tried again, without spinning`,
    clause: 'MCLI-BACK-3',
    needs: [],
    limitMillis: 40_000,
    run: async (it: ClientContext) => {
      const { relay, client } = await stage(it, { initialMillis: 1_000, maxMillis: 1_000 });
      const served = await Served.accepted(it, relay);
      await served.greet();
      if (bytes > 0) await served.end.send(frameOf('', greetResponse()).subarray(0, bytes));
      const before = await client.holdings();
      if (how === 'fin') served.end.end();
      else served.end.reset();
      await (await Served.greeted(it, relay)).batch();
      const after = await client.holdings();
      if (before === undefined || after === undefined) return;
      it.observe(`${after.cpuMillis - before.cpuMillis} ms of CPU until it was served again`);
    },
  })),
);
