/** Defects of a relay client of measurements: keys of its configuration, and messages changed on their way to its server. */
import { bodyOf, framed, type Metric, register } from '../../suites/measurement-server/messages.ts';
import type { Spoiler } from '../middle.ts';
import type { AgentDefects } from './defect.ts';
import { bodyByBody, type Change, changing, contents, messageOf, points } from './messages.ts';

const key = (name: string, value: string): string => `plugins.relay-client.${name}=${value}`;

/** Each body is filled up with zeroes to a multiple of eight bytes, and one more of them. */
const padded = (): Spoiler => (pair) => ({
  fromNear: bodyByBody(
    (body) => {
      const message = messageOf(body);
      const tight = message === undefined ? body : bodyOf(message.sender, message.content);
      pair.toFar(framed(Buffer.concat([tight, Buffer.alloc(8 - (tight.length % 8))])));
    },
    (bytes) => pair.toFar(bytes),
  ),
});

/** The first read is taken for the answer. */
const oneReadOneAnswer = (): Spoiler => (pair) => {
  let first = true;
  return {
    fromFar: (bytes) => {
      if (first && (bytes.length < 4 || bytes.length < 4 + bytes.readUInt32BE())) pair.kill();
      else pair.toNear(bytes);
      first = false;
    },
  };
};

const lastUnregistered = (): Spoiler =>
  contents((content) => [
    content.tag === 'RegisterMetrics' ? register(...content.value.metrics.slice(0, -1)) : content,
  ]);

const half = (id: number | bigint): number => Math.floor(Number(id) / 2);

const idsShared = (): Spoiler =>
  contents((content) => {
    if (content.tag === 'RegisterMetrics')
      return [
        register(...content.value.metrics.map((metric: Metric) => ({ ...metric, id: half(metric.id) }))),
      ];
    if (content.tag !== 'SendMeasurements') return [content];
    const buf = content.value.buf.map((point) => ({ ...point, metric_id: half(point.metric_id) }));
    return [{ ...content, value: { buf } }];
  });

/** Its second connection and all later ones go on as if the server knew. */
const registeredOnce = (): Spoiler => {
  let connections = 0;
  return changing((): Change => {
    const again = ++connections > 1;
    return (message) => (again && message.content.tag === 'RegisterMetrics' ? [] : [message]);
  });
};

const LOST_AFTER_MILLIS = 500;
const LOST_MILLIS = 2_500;

const secondsLost = (): Spoiler =>
  changing((): Change => {
    let began: number | undefined;
    return (message) => {
      if (message.content.tag !== 'SendMeasurements') return [message];
      began ??= performance.now();
      const passed = performance.now() - began - LOST_AFTER_MILLIS;
      return passed > 0 && passed < LOST_MILLIS ? [] : [message];
    };
  });

/** By the name that `relay-agent.ts --defect` takes. */
export const MEASUREMENT_CLIENT_DEFECTS: AgentDefects = {
  hasty: {
    clause: 'MCLI-GREET-1',
    says: 'it registers before it is answered',
    spoiler: () => contents((content) => (content.tag === 'Greet' ? [content, register()] : [content])),
  },
  'own-name': {
    clause: 'MCLI-GREET-3',
    says: 'it calls itself by another name than it was given',
    overrides: [key('client_name', '"localhost"')],
  },
  'padded-bodies': {
    clause: 'MCLI-FRAME-1',
    says: 'bodies are filled up to a multiple of eight bytes',
    spoiler: padded,
  },
  'one-read-one-answer': {
    clause: 'MCLI-FRAME-2',
    says: 'the first read is taken for the answer',
    spoiler: oneReadOneAnswer,
  },
  'last-unregistered': {
    clause: 'MCLI-METRIC-1',
    says: 'the last metric of each registration is left out',
    spoiler: lastUnregistered,
  },
  'ids-shared': { clause: 'MCLI-METRIC-2', says: 'two metrics share an id', spoiler: idsShared },
  'times-in-millis': {
    clause: 'MCLI-POINT-1',
    says: 'seconds are milliseconds',
    spoiler: () =>
      points((point) => ({
        ...point,
        timestamp: { ...point.timestamp, secs: Number(point.timestamp.secs) * 1_000 },
      })),
  },
  'full-buffers-only': {
    clause: 'MCLI-BATCH-2',
    says: 'only a full buffer is sent',
    overrides: [key('buffer_timeout', '"1h"')],
  },
  hammers: {
    clause: 'MEAS-RETRY-1',
    says: 'it comes back at once, each time',
    overrides: [key('retry.initial_delay', '"1ms"'), key('retry.max_delay', '"1ms"')],
  },
  'never-gives-up': {
    clause: 'MEAS-RETRY-2',
    says: 'retries are not counted',
    overrides: [key('retry.max_times', '65535')],
  },
  'never-comes-back': {
    clause: 'MEAS-BACK-1',
    says: 'the first failure is the last',
    overrides: [key('retry.max_times', '0')],
  },
  'registered-once': {
    clause: 'MCLI-BACK-1',
    says: 'a second connection has no registration',
    spoiler: registeredOnce,
  },
  'seconds-lost': {
    clause: 'MEAS-POINT-2',
    says: 'the points of some seconds are lost',
    spoiler: secondsLost,
  },
  'batch-twice': {
    clause: 'MEAS-POINT-2',
    says: 'every batch is sent twice',
    spoiler: () =>
      contents((content) => (content.tag === 'SendMeasurements' ? [content, content] : [content])),
  },
};
