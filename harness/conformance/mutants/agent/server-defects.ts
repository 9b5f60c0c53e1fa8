/** Defects of a relay server of measurements, made of what its clients say and of when it hears it. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  BODY_MAX,
  type Content,
  framed,
  type Message,
  type Metric,
  type Value,
  VERSION,
} from '../../suites/measurement-server/messages.ts';
import type { Pair, Spoiler } from '../middle.ts';
import { descriptorsKept } from '../relay-middle-defects.ts';
import type { AgentDefects } from './defect.ts';
import { bodyByBody, type Change, changing, contents, messageOf, points } from './messages.ts';

const CRASH = 70;
const SIXTEEN_MIB = 16_777_216;

const metrics = (change: (list: readonly Metric[]) => readonly Metric[]): Spoiler =>
  contents((content) => [
    content.tag === 'RegisterMetrics'
      ? { ...content, value: { metrics: [...change(content.value.metrics)] } }
      : content,
  ]);

/** Nothing is said before a second message has come. */
const answersLate = (): Spoiler => (pair) => {
  let messages = 0;
  const unsaid: Buffer[] = [];
  return {
    fromNear: bodyByBody(
      (body) => {
        pair.toFar(framed(body));
        if (++messages > 1) for (const bytes of unsaid.splice(0)) pair.toNear(bytes);
      },
      (bytes) => pair.toFar(bytes),
    ),
    fromFar: (bytes) => (messages > 1 ? pair.toNear(bytes) : void unsaid.push(bytes)),
  };
};

const otherVersions = (change: (content: Content & { readonly tag: 'Greet' }) => readonly Content[]) => () =>
  contents((content) =>
    content.tag === 'Greet' && content.value.protocol_version !== VERSION ? change(content) : [content],
  );

/** A double holds it no better; clamped, for the next one above 2^64-1 is none. */
const throughDouble = (value: Value): Value =>
  value.tag === 'U64' ? { tag: 'U64', value: BigInt(Math.min(Number(value.value), 2 ** 64 - 2_048)) } : value;

/** The rest of a read waits for the next one. */
const oneFrameARead = (): Spoiler => (pair) => {
  const whole: Buffer[] = [];
  const bodies = bodyByBody(
    (body) => void whole.push(framed(body)),
    (bytes) => void whole.push(bytes),
  );
  return {
    fromNear: (bytes) => {
      bodies(bytes);
      const first = whole.shift();
      if (first !== undefined) pair.toFar(first);
    },
  };
};

const FRAME_MILLIS = 5;

/** Frames are worked off one after the other; those that wait at the end of the stream are forgotten. */
const behindAtFin = (): Spoiler => (pair) => {
  const waiting: Buffer[] = [];
  let working = false;
  const work = async (): Promise<void> => {
    if (working) return;
    working = true;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      pair.toFar(next);
      await delay(FRAME_MILLIS);
    }
    working = false;
  };
  return {
    fromNear: bodyByBody(
      (body) => {
        waiting.push(framed(body));
        void work();
      },
      (bytes) => pair.toFar(bytes),
    ),
    nearEnded: () => {
      waiting.length = 0;
      pair.endFar();
    },
  };
};

const smallLimit = (): Spoiler => (pair) => ({
  fromNear: bodyByBody(
    (body) => (body.length > SIXTEEN_MIB ? pair.kill() : pair.toFar(framed(body))),
    (bytes) => pair.toFar(bytes),
  ),
});

/** Whatever length is claimed, the bytes are awaited. */
const awaitsAnything = (): Spoiler => (pair) => ({
  fromNear: bodyByBody(
    (body) => pair.toFar(framed(body)),
    () => undefined,
  ),
});

const killsOn = (which: (content: Content, before: ReadonlySet<number>) => boolean) => (): Spoiler =>
  changing((pair) => {
    const ids = new Set<number>();
    return (message) => {
      const { content } = message;
      if (which(content, ids)) {
        pair.kill();
        return [];
      }
      if (content.tag === 'RegisterMetrics') for (const { id } of content.value.metrics) ids.add(Number(id));
      return [message];
    };
  });

const cut16 = (id: number | bigint): number => Number(id) & 0xffff;

const idsCut = (): Spoiler =>
  contents((content) => {
    if (content.tag === 'RegisterMetrics')
      return [
        {
          ...content,
          value: { metrics: content.value.metrics.map((one) => ({ ...one, id: cut16(one.id) })) },
        },
      ];
    if (content.tag !== 'SendMeasurements') return [content];
    const buf = content.value.buf.map((point) => ({ ...point, metric_id: cut16(point.metric_id) }));
    return [{ ...content, value: { buf } }];
  });

/** What is registered once points have come is not heard. */
const lateUnheard = (): Spoiler =>
  changing((): Change => {
    let sent = false;
    return (message) => {
      if (message.content.tag === 'SendMeasurements') sent = true;
      return sent && message.content.tag === 'RegisterMetrics' ? [] : [message];
    };
  });

/** A name means what it meant first, whoever says otherwise. */
const clashMerged = (): Spoiler => {
  const first = new Map<string, Metric>();
  return metrics((list) =>
    list.map((metric) => {
      const known = first.get(metric.name) ?? metric;
      first.set(metric.name, known);
      return { ...known, id: metric.id };
    }),
  );
};

/** Ids that nobody else uses, for what they mean to another connection. */
const FOREIGN_IDS = 60_000;

/** One table of ids for all connections of one name: the last registration counts. */
const idsByName = (): Spoiler => {
  const tables = new Map<string, Map<number, Metric>>();
  return changing((): Change => {
    const foreign = new Map<string, number>();
    return (message): readonly Message[] => {
      const { sender, content } = message;
      const table = tables.get(sender) ?? new Map<number, Metric>();
      tables.set(sender, table);
      if (content.tag === 'RegisterMetrics')
        for (const metric of content.value.metrics) table.set(Number(metric.id), metric);
      if (content.tag !== 'SendMeasurements') return [message];
      const learnt: Metric[] = [];
      const buf = content.value.buf.map((point) => {
        const metric = table.get(Number(point.metric_id));
        if (metric === undefined) return point;
        const id = foreign.get(metric.name) ?? FOREIGN_IDS + foreign.size;
        if (!foreign.has(metric.name)) learnt.push({ ...metric, id });
        foreign.set(metric.name, id);
        return { ...point, metric_id: id };
      });
      return [
        { sender, content: { tag: 'RegisterMetrics', value: { metrics: learnt } } },
        { sender, content: { ...content, value: { buf } } },
      ];
    };
  });
};

const diesOnGarbage = (): Spoiler => (pair) => ({
  fromNear: bodyByBody(
    (body) => {
      if (messageOf(body) === undefined) process.exit(CRASH);
      pair.toFar(framed(body));
    },
    () => process.exit(CRASH),
  ),
});

/** While one connection is within a frame no other is heard. */
const oneLock = (): Spoiler => {
  let holder: Pair | undefined;
  const waiting: (() => void)[] = [];
  return (pair) => {
    let within = 0;
    let gone = false;
    const bodies = bodyByBody(
      (body) => {
        within -= framed(body).length;
        pair.toFar(framed(body));
      },
      (bytes) => pair.toFar(bytes),
    );
    const look = (): void => {
      if (within > 0) holder = pair;
      else if (holder === pair) {
        holder = undefined;
        for (const go of waiting.splice(0)) go();
      }
    };
    const hear = (bytes: Buffer): void => {
      if (gone) return;
      if (holder !== undefined && holder !== pair) {
        waiting.push(() => hear(bytes));
        return;
      }
      within += bytes.length;
      bodies(bytes);
      look();
    };
    const leave = (): void => {
      gone = true;
      within = 0;
      look();
    };
    return {
      fromNear: hear,
      nearEnded: () => {
        leave();
        pair.endFar();
      },
      nearLost: () => {
        leave();
        pair.kill();
      },
    };
  };
};

const isEmpty = (content: Content): boolean =>
  (content.tag === 'SendMeasurements' && content.value.buf.length === 0) ||
  (content.tag === 'RegisterMetrics' && content.value.metrics.length === 0);

const registersAgain = (content: Content, before: ReadonlySet<number>): boolean =>
  content.tag === 'RegisterMetrics' && content.value.metrics.some(({ id }) => before.has(Number(id)));

/** By the name that `relay-agent.ts --defect` takes. */
export const MEASUREMENT_SERVER_DEFECTS: AgentDefects = {
  'answers-late': {
    clause: 'MREL-GREET-1',
    says: 'a Greet is answered when something has followed it',
    spoiler: answersLate,
  },
  'any-version': {
    clause: 'MREL-GREET-2',
    says: 'the version of a Greet is not looked at',
    spoiler: otherVersions((greet) => [{ ...greet, value: { ...greet.value, protocol_version: VERSION } }]),
  },
  'mismatch-unanswered': {
    clause: 'MREL-GREET-2',
    says: 'a Greet of another version is not answered',
    spoiler: otherVersions(() => []),
  },
  'times-cut': {
    clause: 'MREL-SEND-1',
    says: 'times are cut to milliseconds',
    spoiler: () =>
      points((point) => {
        const { secs, nanos } = point.timestamp;
        return { ...point, timestamp: { secs, nanos: nanos - (nanos % 1_000_000) } };
      }),
  },
  'batch-twice': {
    clause: 'MREL-SEND-1',
    says: 'every batch is stored twice',
    spoiler: () =>
      contents((content) => (content.tag === 'SendMeasurements' ? [content, content] : [content])),
  },
  'text-attributes-only': {
    clause: 'MREL-SEND-3',
    says: 'of attributes only texts are kept',
    spoiler: () =>
      points((point) => ({
        ...point,
        attributes: point.attributes.filter(([, { tag }]) => tag === 'Str'),
      })),
  },
  'u64-through-double': {
    clause: 'MREL-VALUE-1',
    says: 'whole numbers go through a double',
    spoiler: () => points((point) => ({ ...point, value: throughDouble(point.value) })),
  },
  'one-frame-a-read': {
    clause: 'MREL-FRAME-1',
    says: 'of each read one frame is taken, the others wait for the next read',
    spoiler: oneFrameARead,
  },
  'behind-at-fin': {
    clause: 'MREL-FRAME-2',
    says: 'frames that wait when the stream ends are forgotten',
    spoiler: behindAtFin,
  },
  'small-limit': {
    clause: 'MREL-FRAME-3',
    says: 'a body of more than 16 MiB ends the connection',
    spoiler: smallLimit,
  },
  'awaits-anything': {
    clause: 'MREL-FRAME-4',
    says: `a body of more than ${BODY_MAX} bytes is awaited`,
    spoiler: awaitsAnything,
  },
  'again-is-a-clash': {
    clause: 'MREL-METRIC-1',
    says: 'an id that is registered again ends the connection',
    spoiler: killsOn(registersAgain),
  },
  'ids-cut': { clause: 'MREL-METRIC-3', says: 'ids are cut to 16 bits', spoiler: idsCut },
  'small-ids': {
    clause: 'MREL-METRIC-4',
    says: 'ids beyond 255 are not registered',
    spoiler: () => metrics((list) => list.filter(({ id }) => id < 256)),
  },
  'empty-is-the-end': {
    clause: 'MREL-METRIC-6',
    says: 'an empty list ends the connection',
    spoiler: killsOn(isEmpty),
  },
  'late-unheard': {
    clause: 'MEAS-LATE-1',
    says: 'metrics are registered before the first points or not at all',
    spoiler: lateUnheard,
  },
  'clash-merged': {
    clause: 'MEAS-NAME-1',
    says: 'a name means for all what it meant first',
    spoiler: clashMerged,
  },
  'dies-on-garbage': {
    clause: 'MREL-LIVE-1',
    says: 'a body that does not decode ends the process',
    spoiler: diesOnGarbage,
  },
  'one-lock': {
    clause: 'MREL-LIVE-1',
    says: 'while a client is within a frame no other is heard',
    spoiler: oneLock,
  },
  'ids-by-name': {
    clause: 'MREL-LIVE-2',
    says: 'connections of one name share their ids',
    spoiler: idsByName,
  },
  'descriptors-kept': {
    clause: 'AUDIT-FD-1',
    says: 'every connection leaves a descriptor behind',
    spoiler: descriptorsKept,
  },
};
