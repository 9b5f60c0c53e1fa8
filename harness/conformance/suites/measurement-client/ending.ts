/** Refusals, answers without sense, and the end of the client. */
import { type ClientContext, clientCases } from '../../case.ts';
import {
  framed,
  frameOf,
  greetResponse,
  type Point,
  register,
  send,
} from '../measurement-server/messages.ts';
import { Served, settingsWith, stage, startTowards } from './server-side.ts';

const ENDS_MILLIS = 15_000;
const MIB = 1_048_576;

const refused = (name: string, title: string, accept: boolean, version: number) => ({
  name: `greet/${name}`,
  title: `${title} ends it with an error, without a retry`,
  clause: 'MCLI-GREET-2',
  needs: [],
  limitMillis: 40_000,
  run: async (it: ClientContext) => {
    const { relay, client } = await stage(it);
    const served = await Served.accepted(it, relay);
    await served.greet();
    await served.answer(greetResponse(accept, version));
    await served.listen(1_500);
    const said = served.heard.filter(({ content }) => content.tag === 'SendMeasurements').length;
    if (said > 0) it.broken('no points for a server of another version', `${said} batches`);
    served.end.end();
    await relay.expectNobody(2_000, 'after a refusal');
    const how = await client.exit(ENDS_MILLIS);
    if (how === 0 || typeof how === 'string') it.broken('an exit code other than 0', String(how));
  },
});

const ANSWERS: Readonly<Record<string, { readonly title: string; readonly bytes: Buffer }>> = {
  http: {
    title: 'an answer in HTTP',
    bytes: Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'),
  },
  'over-limit': {
    title: 'an answer of 32,000,001 bytes',
    bytes: Buffer.from([0x01, 0xe8, 0x48, 0x01, 0, 1]),
  },
  'wrong-message': { title: 'a SendMeasurements for an answer', bytes: frameOf('', send()) },
  'not-its-role': { title: 'a RegisterMetrics for an answer', bytes: frameOf('', register()) },
  undecodable: { title: 'an answer that does not decode', bytes: framed(Buffer.from([0, 1, 7, 0xff, 0xff])) },
  empty: { title: 'an empty answer', bytes: framed(Buffer.alloc(0)) },
};

/** What no two points have in common. */
const identityOf = ({ metric_id, timestamp, ...place }: Point): string => {
  const { resource_kind, resource_id, consumer_kind, consumer_id, attributes } = place;
  const whose = [resource_kind, resource_id, consumer_kind, consumer_id, ...attributes.flat()];
  return `metric ${metric_id} at ${timestamp.secs} s ${timestamp.nanos} ns ${JSON.stringify(
    whose,
    (_, value) => (typeof value === 'bigint' ? String(value) : value),
  )}`;
};

const ending = (signal: 'SIGINT' | 'SIGTERM') => ({
  name: `stop/${signal.toLowerCase()}-flushes`,
  title: `${signal} sends what is buffered, closes by FIN and ends with 0`,
  clause: 'MCLI-STOP-1',
  needs: [],
  limitMillis: 40_000,
  run: async (it: ClientContext) => {
    const { relay, client } = await stage(it, { lengthMax: 1_000_000, timeoutMillis: 3_600_000 });
    const served = await Served.greeted(it, relay);
    await served.listen(1_500);
    const before = served.points.length;
    client.signal(signal);
    const how = await served.toTheEnd(ENDS_MILLIS);
    it.closed(how === 'fin' ? 'in order' : 'reset');
    const code = await client.exit(ENDS_MILLIS);
    const after = served.points.length - before;
    it.observe(`${before} points before ${signal}, ${after} after it`);
    if (after === 0) it.broken(`the points of a second and a half after ${signal}`, 'none');
    if (code !== 0) it.broken(`exit code 0 after ${signal}`, String(code));
  },
});

export const ENDING = clientCases(
  refused('refused', 'accept = false', false, 3),
  refused('refused-same-version', 'accept = false with its own version', false, 2),
  refused('other-version', 'another version beside accept = true', true, 3),
  ...Object.entries(ANSWERS).map(([name, { title, bytes }]) => ({
    name: `answer/${name}`,
    title: `${title} is an error, no crash, flood or spin`,
    clause: 'MCLI-LIVE-1',
    needs: [],
    limitMillis: 40_000,
    run: async (it: ClientContext) => {
      const { relay, client } = await stage(it, { maxTimes: 3, initialMillis: 500, maxMillis: 500 });
      const served = await Served.accepted(it, relay);
      await served.greet();
      const before = await client.holdings();
      await served.end.send(bytes);
      await it.wait(300);
      served.end.end();
      await it.wait(2_500);
      const dials = relay.accepted;
      it.observe(`${dials - 1} more connections in the seconds after it`);
      if (dials > 8) it.broken('at most 8 connections in three seconds', `${dials}`);
      if (!client.running) {
        const how = await client.exit();
        if (typeof how === 'string')
          it.broken('an end in order, or another attempt', `it was ended by ${how}`);
        return it.observe(`it ended with exit code ${how}`);
      }
      const after = await client.holdings();
      if (before === undefined || after === undefined) return;
      const [grown, cpu] = [(after.rssBytes - before.rssBytes) / MIB, after.cpuMillis - before.cpuMillis];
      it.observe(`memory grew by ${grown.toFixed(1)} MiB, ${cpu} ms of CPU`);
      if (grown > 128) it.broken('at most 128 MiB more memory', `${grown.toFixed(1)} MiB`);
      if (cpu > 2_000) it.broken('less than 2000 ms of CPU in three seconds', `${cpu} ms`);
    },
  })),
  {
    name: 'answer/twice',
    title: 'a second GreetResponse later on costs no point',
    clause: 'MCLI-LIVE-1',
    needs: [],
    run: async (it) => {
      const { relay } = await stage(it);
      const served = await Served.greeted(it, relay);
      await served.batch();
      await served.answer();
      await served.listen(1_000);
      if (served.end.ended === 'open') await served.batch();
      else {
        it.observe('it leaves that connection for another one');
        await (await Served.greeted(it, relay)).batch();
      }
    },
  },
  ending('SIGINT'),
  ending('SIGTERM'),
  {
    name: 'stop/unanswered',
    title: 'SIGINT ends it while its Greet is not answered',
    clause: 'MCLI-STOP-2',
    needs: [],
    limitMillis: 40_000,
    run: async (it) => {
      const { relay, client } = await stage(it);
      await (await Served.accepted(it, relay)).greet();
      client.signal('SIGINT');
      it.observe(`exit code ${await client.exit(ENDS_MILLIS)}`);
    },
  },
  {
    name: 'stop/away',
    title: 'SIGINT ends it between two attempts',
    clause: 'MCLI-STOP-2',
    needs: [],
    limitMillis: 40_000,
    run: async (it) => {
      const relay = await it.listen('server');
      const client = await startTowards(
        it,
        relay.port,
        settingsWith({ initialMillis: 60_000, maxMillis: 60_000 }),
      );
      (await Served.accepted(it, relay)).end.reset();
      await it.wait(500);
      client.signal('SIGINT');
      it.observe(`exit code ${await client.exit(ENDS_MILLIS)}`);
    },
  },
  {
    name: 'stop/not-reading',
    title: 'SIGINT ends it although its server has stopped reading',
    clause: 'MCLI-STOP-2',
    needs: [],
    alone: 'machine',
    limitMillis: 60_000,
    run: async (it) => {
      const { relay, client } = await stage(it, { many: true, pollMillis: 2, lengthMax: 1_000 });
      const served = await Served.greeted(it, relay);
      await served.batch();
      served.end.pause();
      await it.wait(5_000);
      client.signal('SIGINT');
      const began = performance.now();
      const how = await client.exit(ENDS_MILLIS);
      it.observe(`exit code ${how} after ${Math.round(performance.now() - began)} ms`);
    },
  },
  {
    name: 'stop/not-reading-for-a-while',
    title: 'a server that reads nothing for three seconds gets every point in the end, and none twice',
    clause: 'MEAS-POINT-2',
    needs: [],
    run: async (it) => {
      const { relay } = await stage(it);
      const served = await Served.greeted(it, relay);
      await served.batch();
      served.end.pause();
      await it.wait(3_000);
      served.end.resume();
      await served.listen(1_500);
      const said = served.points.map(identityOf);
      const again = said.find((one, n) => said.indexOf(one) < n);
      if (again !== undefined) it.broken('each point once', `twice: ${again}`);
      const times = served.points.map(({ timestamp: { secs, nanos } }) => Number(secs) * 1e3 + nanos / 1e6);
      const span = Math.max(...times) - Math.min(...times);
      const polls = new Set(times.map((time) => Math.round(time))).size;
      it.observe(`${polls} polls in ${Math.round(span)} ms`);
      if (span < 3_000) {
        it.blameLoad(6_000, 'the points of those seconds');
        it.broken('points of the three seconds and of those after them', `points of ${Math.round(span)} ms`);
      }
      const sorted = [...new Set(times)].sort((a, b) => a - b);
      const gap = Math.max(...sorted.slice(1).map((time, n) => time - (sorted[n] as number)));
      if (gap > 1_500) {
        it.blameLoad(6_000, 'polls of its source');
        it.broken('no second without a point', `${Math.round(gap)} ms without one`);
      }
    },
  },
);
