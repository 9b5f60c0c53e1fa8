/** What the client says: greeting, registrations, points, batches. */
import { type ClientContext, clientCases } from '../../case.ts';
import { frameOf, greetResponse, type Metric, type Point, VERSION } from '../measurement-server/messages.ts';
import { Served, type Settings, stage } from './server-side.ts';

/** Served for so long that a few batches have come. */
const talk = async (it: ClientContext, more: Partial<Settings> = {}, millis = 2_500): Promise<Served> => {
  const { relay } = await stage(it, more);
  const served = await Served.greeted(it, relay);
  await served.batch();
  await served.listen(millis);
  return served;
};

const KINDS: Readonly<Record<string, RegExp>> = {
  local_machine: /^$/,
  ...{ cpu_package: /^\d{1,10}$/, cpu_core: /^\d{1,10}$/, dram: /^\d{1,10}$/, process: /^\d{1,10}$/ },
};

const unfit = (point: Point, metric: Metric | undefined): string | undefined => {
  const { timestamp, value, resource_kind, resource_id, consumer_kind, consumer_id } = point;
  if (metric === undefined) return `metric ${point.metric_id}, which is not registered`;
  if (value.tag !== metric.value_type)
    return `a value ${value.tag} of ${metric.name}, which is ${metric.value_type}`;
  if (timestamp.nanos >= 1e9) return `${timestamp.nanos} nanoseconds`;
  const away = Math.abs(Number(timestamp.secs) - Date.now() / 1_000);
  if (away > 86_400) return `a time ${Math.round(away)} s from now`;
  for (const [kind, id] of [
    [resource_kind, resource_id],
    [consumer_kind, consumer_id],
  ] as const)
    if (KINDS[kind]?.test(id) === false) return `${kind}/${id}`;
  return undefined;
};

/** Walks through a connection as a server does: what is registered when. */
const registrations = (
  served: Served,
  at: {
    readonly metric?: (metric: Metric, before: ReadonlyMap<number, Metric>) => void;
    readonly point?: (point: Point, known: ReadonlyMap<number, Metric>) => void;
  },
): void => {
  const known = new Map<number, Metric>();
  for (const { content } of served.heard) {
    if (content.tag === 'RegisterMetrics')
      for (const metric of content.value.metrics) {
        at.metric?.(metric, known);
        known.set(Number(metric.id), metric);
      }
    if (content.tag === 'SendMeasurements') for (const point of content.value.buf) at.point?.(point, known);
  }
};

export const TALKING = clientCases(
  {
    name: 'greet/first',
    title: 'it greets, and says nothing more until it is answered',
    clause: 'MCLI-GREET-1',
    needs: [],
    run: async (it) => {
      const { relay } = await stage(it);
      const served = await Served.accepted(it, relay);
      const { content } = await served.greet();
      if (content.tag === 'Greet' && content.value.protocol_version !== VERSION)
        it.broken(`protocol version ${VERSION}`, String(content.value.protocol_version));
      await served.end.expectSilence(1_000, 'between Greet and GreetResponse');
      await served.answer();
      const next = await served.next('what follows the answer');
      if (next.content.tag !== 'RegisterMetrics') it.broken('RegisterMetrics', next.content.tag);
    },
  },
  {
    name: 'greet/name',
    title: 'every message bears the name it was given',
    clause: 'MCLI-GREET-3',
    needs: [],
    run: async (it) => {
      const name = `nœud-${it.rng.below(1_000)}`;
      const served = await talk(it, { name }, 1_000);
      const other = served.heard.find(({ sender }) => sender !== name);
      if (other !== undefined) it.broken(`sender "${name}"`, `"${other.sender}" in ${other.content.tag}`);
    },
  },
  {
    name: 'greet/answer-byte-by-byte',
    title: 'an answer in single bytes is an answer',
    clause: 'MCLI-FRAME-2',
    needs: [],
    run: async (it) => {
      const { relay } = await stage(it);
      const served = await Served.accepted(it, relay);
      await served.greet();
      await served.end.sendSliced(frameOf('', greetResponse()), 1);
      await served.batch();
    },
  },
  ...([2, 4, 12] as const).map((cut) => ({
    name: `greet/answer-cut-at-${cut}`,
    title: `an answer with a pause of a second after ${cut} bytes is an answer`,
    clause: 'MCLI-FRAME-2',
    needs: [],
    run: async (it: ClientContext) => {
      const { relay } = await stage(it);
      const served = await Served.accepted(it, relay);
      await served.greet();
      const answer = frameOf('', greetResponse());
      await served.end.send(answer.subarray(0, cut));
      await it.wait(1_000);
      await served.end.send(answer.subarray(cut));
      await served.batch();
    },
  })),
  {
    name: 'frame/well-formed',
    title: 'every frame is one value of the schema, and nothing behind it',
    clause: 'MCLI-FRAME-1',
    needs: [],
    run: async (it) => {
      const served = await talk(it, { many: true });
      const odd = served.heard.find(({ left }) => left > 0);
      if (odd !== undefined)
        it.broken('a body that its value fills', `${odd.left} bytes behind ${odd.content.tag}`);
      it.observe(`${served.heard.length} frames, ${served.points.length} points`);
    },
  },
  {
    name: 'metric/registered-first',
    title: 'no point is sent of a metric that was not registered before',
    clause: 'MCLI-METRIC-1',
    needs: [],
    run: async (it) => {
      const served = await talk(it, { many: true });
      registrations(served, {
        point: ({ metric_id }, known) => {
          if (!known.has(Number(metric_id)))
            it.broken('a registered metric', `a point of metric ${metric_id}`);
        },
      });
      const late = served.heard.filter(({ content }) => content.tag === 'RegisterMetrics').length - 1;
      if (late > 0) it.observe(`${late} more registrations after the first`);
    },
  },
  {
    name: 'metric/one-meaning',
    title: 'within a connection an id means one metric, a name has one id',
    clause: 'MCLI-METRIC-2',
    needs: [],
    run: async (it) => {
      const served = await talk(it, { many: true });
      const said = (metric: Metric): string => JSON.stringify({ ...metric, id: Number(metric.id) });
      registrations(served, {
        metric: (metric, before) => {
          const id = Number(metric.id);
          if (id > 65_535) it.broken('ids of at most 65535', `${id}`);
          const same = before.get(id);
          if (same !== undefined && said(same) !== said(metric)) it.broken(said(same), said(metric));
          for (const other of before.values())
            if (other.name === metric.name && Number(other.id) !== id)
              it.broken(`one id for ${metric.name}`, `${other.id} and ${id}`);
        },
      });
    },
  },
  {
    name: 'point/well-formed',
    title: 'every point fits its metric, its resource and the calendar',
    clause: 'MCLI-POINT-1',
    needs: [],
    run: async (it) => {
      const served = await talk(it, { many: true });
      registrations(served, {
        point: (point, known) => {
          const why = unfit(point, known.get(Number(point.metric_id)));
          if (why !== undefined) it.broken('a point that fits', why);
        },
      });
    },
  },
  {
    name: 'batch/length',
    title: 'a batch has no more points than buffer_max_length, but for those of one poll',
    clause: 'MCLI-BATCH-1',
    needs: [],
    limitMillis: 30_000,
    run: async (it) => {
      const lengthMax = 10;
      const served = await talk(it, { lengthMax, timeoutMillis: 60_000 }, 3_000);
      const sizes = served.batches.map(({ points }) => points.length);
      for (const { points } of served.batches) {
        const polls = new Set(points.map(({ timestamp }) => `${timestamp.secs}.${timestamp.nanos}`)).size;
        if (points.length > lengthMax && polls > 1)
          it.broken(`at most ${lengthMax} points`, `${points.length} points of ${polls} polls`);
      }
      it.observe(`batches of ${[...new Set(sizes)].sort((a, b) => a - b).join(', ')} points`);
    },
  },
  {
    name: 'batch/full-is-sent',
    title: 'a full buffer is sent long before its timeout',
    clause: 'MCLI-BATCH-1',
    needs: [],
    run: async (it) => {
      const served = await talk(it, { lengthMax: 20, timeoutMillis: 3_600_000 }, 2_000);
      if (served.batches.length < 2)
        it.broken('a batch each time the buffer is full', `${served.batches.length} in all`);
    },
  },
  {
    name: 'batch/timeout',
    title: 'points wait no longer than buffer_timeout',
    clause: 'MCLI-BATCH-2',
    needs: [],
    run: async (it) => {
      const [timeoutMillis, pollMillis] = [400, 50];
      const served = await talk(it, { lengthMax: 1_000_000, timeoutMillis, pollMillis }, 4_000);
      const times = served.batches.map(({ at }) => at);
      const waits = times.slice(1).map((at, n) => at - (times[n] as number));
      const longest = Math.max(...waits, performance.now() - (times.at(-1) as number));
      it.observe(`${waits.length + 1} batches, at most ${Math.round(longest)} ms apart`);
      const most = timeoutMillis + pollMillis + 750;
      if (longest > most) {
        it.blameLoad(6_000, 'batches');
        it.broken(
          `a batch every ${timeoutMillis} ms (${most} ms at most)`,
          `${Math.round(longest)} ms without one`,
        );
      }
    },
  },
  {
    name: 'batch/none-empty',
    title: 'no batch is empty',
    clause: 'MCLI-BATCH-3',
    needs: [],
    run: async (it) => {
      const served = await talk(it, { lengthMax: 1, many: true }, 1_000);
      const empty = served.batches.filter(({ points }) => points.length === 0).length;
      if (empty > 0) it.broken('batches with points', `${empty} of ${served.batches.length} without`);
    },
  },
);
