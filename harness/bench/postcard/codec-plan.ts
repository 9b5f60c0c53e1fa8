/** Which workloads the postcard bench has, and who takes part in them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BATCHES, DATA_SEED } from './case.ts';
import type { SetName } from './cases.ts';
import { type CodecGoal, codecGoals, racesOf } from './codec-goals.ts';
import { postcardObjects, postcardSmall } from './formats/postcard-format.ts';
import {
  BLOB_BYTES,
  cobsBodies,
  FRAME_CUTS,
  SLOPE_CHUNK,
  SLOPE_FRAMES,
  TEXT_CHARS,
  TEXT_KINDS,
} from './inputs.ts';
import { messages, smallMessages } from './measurement-data.ts';
import { OURS, RIVALS } from './names.ts';
import type { Pace, Race, Runner, Stint, Workload } from './race.ts';
import type { Start } from './turner.ts';

export type CodecSizes = Pace & {
  /** Only the races that goals name, and in them only the rivals that they do. */
  readonly nearestOnly: boolean;
  /** Points of a message, and of a large one. */
  readonly points: number;
  readonly manyPoints: number;
  /** What benny gives each case. */
  readonly bennySeconds: number;
};

/** Under a minute. */
export const QUICK: CodecSizes = {
  ...{ rounds: 12, turnNanos: 2e6, warmNanos: 120e6, starts: 3 },
  ...{ nearestOnly: true, points: 200, manyPoints: 4096, bennySeconds: 0.05 },
};

/** Five to ten minutes. */
export const FULL: CodecSizes = {
  ...{ rounds: 96, turnNanos: 2e6, warmNanos: 400e6, starts: 6 },
  ...{ nearestOnly: false, points: 200, manyPoints: 4096, bennySeconds: 1 },
};

/** The native program, if it was built, and a folder for what it reads. */
export type Native = { readonly program: string | undefined; readonly folder: string };

const WHY_NATIVE = 'not built: run `npm run -s node -- ci/peers/build.ts` (needs cargo)';

/** Who writes messages, nearest first: the process's name, and the name in tables. */
const MESSAGE_RUNNERS: readonly (readonly [id: string, name: string])[] = [
  ['postcard', OURS.objects],
  ['postcard-bigint', OURS.bigint],
  ['postcard-no-eval', OURS.noEval],
  ['msgpackr-records', RIVALS.records],
  ['protobufjs', RIVALS.protobufjs],
  ['avsc', RIVALS.avsc],
  ['json', RIVALS.json],
  ['serde', RIVALS.serde],
  ['msgpackr', RIVALS.msgpackr],
  ['cbor-x-records', RIVALS.cborRecords],
  ['cbor-x', RIVALS.cbor],
  ['msgpack', RIVALS.msgpack],
  ['protobuf-es', RIVALS.protobufEs],
  ['bson', RIVALS.bson],
  ['v8', RIVALS.v8],
];

const isOwn = (id: string): boolean => id.startsWith('postcard');

const writeMessages = (file: string, parts: readonly Uint8Array[]): string => {
  const head = (bytes: Uint8Array): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return length;
  };
  writeFileSync(file, Buffer.concat(parts.flatMap((bytes) => [head(bytes), bytes])));
  return file;
};

const nativeStart = (
  { program, folder }: Native,
  set: SetName,
  name: string,
  parts: () => readonly Uint8Array[],
): Readonly<Record<string, Start>> =>
  program === undefined
    ? {}
    : {
        native: {
          set,
          id: RIVALS.native,
          command: [program, name, writeMessages(join(folder, `${name}.bin`), parts())],
        },
      };

const starts = (set: SetName, ids: readonly string[], more: Partial<Start> = {}): Record<string, Start> =>
  Object.fromEntries(ids.map((id) => [id, { set, id, ...more }]));

type Names = readonly (readonly [id: string, name: string, ...rest: unknown[]])[];

const runnersOf = (names: Names, of: string): readonly Runner[] =>
  names.map(([id, name]) => ({ name, own: isOwn(id), process: id, case: of }));

const native = (of: Native, cases: readonly (readonly [name: string, of: string])[]) => ({
  runners: cases.flatMap(([name, one]): readonly Runner[] =>
    of.program === undefined ? [] : [{ name, own: false, process: 'native', case: one }],
  ),
  absent: Object.fromEntries(
    of.program === undefined ? cases.map(([name]) => [name, WHY_NATIVE] as const) : [],
  ),
});

const bulk = (of: Native, { points }: CodecSizes): Workload => {
  const names = MESSAGE_RUNNERS;
  const race = (what: 'encode' | 'decode', crate: ReturnType<typeof native>): Race => ({
    id: `A-${what}`,
    title: what === 'encode' ? `Write ${points} points` : `Read ${points} points`,
    words: `CPU per point of a relay message, ${BATCHES} different messages in rotation`,
    unit: 'ns/point',
    units: points,
    runners: [...runnersOf(names, what), ...crate.runners],
    absent: crate.absent,
  });
  const format = postcardObjects();
  const parts = () =>
    messages(BATCHES, points, DATA_SEED).map((one) => format.encode(format.from(one) as never));
  return {
    id: 'A',
    processes: {
      ...starts(
        'measurements',
        names.map(([id]) => id),
        { points },
      ),
      ...nativeStart(of, 'measurements', 'measurements', parts),
    },
    races: [
      race(
        'encode',
        native(of, [
          [RIVALS.native, 'encode'],
          [RIVALS.nativeNew, 'encode-new'],
        ]),
      ),
      race('decode', native(of, [[RIVALS.native, 'decode']])),
    ],
  };
};

const COLUMN_RUNNERS = [
  ['postcard', OURS.objects],
  ['postcard-dictionary', OURS.dictionary],
  ['postcard-references', OURS.references],
  ['postcard-reused', OURS.reused],
  ['msgpackr-records', RIVALS.records],
] as const;
const KEPT_RIVALS = [
  ['cbor-x-records', RIVALS.cborRecords],
  ['json', RIVALS.json],
  ['avsc', RIVALS.avsc],
  ['protobufjs', RIVALS.protobufjs],
] as const;
/** MiB: enough that what a large message makes dies young. */
const SEMI_SPACE = 64;
/**
 * Three times in a round all messages that are kept are replaced, twice when quick, a few in a turn: what they cost the collector comes
 * after they have moved twice, and in one of many turns. By time, a turn was a dozen messages of some and hardly a collection.
 */
const KEPT: Stint = { rounds: 24, passes: 12, repeats: BATCHES / 4 };
const KEPT_QUICK: Stint = { rounds: 9, passes: 8, repeats: BATCHES / 4 };

const large = ({ manyPoints, nearestOnly }: CodecSizes): readonly Workload[] => {
  const kept = [...COLUMN_RUNNERS.filter(([, name]) => name !== OURS.reused), ...KEPT_RIVALS];
  const common = { unit: 'ns/point', units: manyPoints, absent: {} };
  return [
    {
      ...{ id: 'A', share: 2 },
      processes: starts(
        'large',
        COLUMN_RUNNERS.map(([id]) => id),
        { points: manyPoints, semiSpace: SEMI_SPACE },
      ),
      races: [
        {
          ...common,
          id: 'A-columns',
          title: `Read ${manyPoints} points and forget them`,
          words: `CPU per point, young generation of ${SEMI_SPACE} MiB for everybody`,
          runners: runnersOf(COLUMN_RUNNERS, 'decode'),
        },
      ],
    },
    {
      // until a hundred messages have been kept, objects take two and three times as long
      ...{ id: 'A', share: 4 },
      processes: starts(
        'kept',
        kept.map(([id]) => id),
        { points: manyPoints },
      ),
      stint: nearestOnly ? KEPT_QUICK : KEPT,
      races: [
        {
          ...common,
          id: 'A-kept',
          title: `Read ${manyPoints} points and keep them`,
          words: `CPU per point, collection included, while the last ${BATCHES} messages stay alive`,
          runners: runnersOf(kept, 'decode'),
        },
      ],
    },
  ];
};

const small = (of: Native): Workload => {
  const names = MESSAGE_RUNNERS.filter(([id]) => !/^postcard-/.test(id));
  const format = postcardSmall();
  const common = { unit: 'ns/message', units: 1, words: 'CPU per message of eight mixed fields' };
  const race = (what: string, title: string, ...more: Runner[]): Race => {
    const crate = native(of, [[RIVALS.native, what]]);
    return {
      ...common,
      ...{ id: `B-${what}`, title, absent: crate.absent },
      runners: [...runnersOf(names, what), ...more, ...crate.runners],
    };
  };
  const into: Runner = { name: OURS.into, own: true, process: 'postcard', case: 'encodeInto' };
  return {
    id: 'B',
    share: 0.5,
    processes: {
      ...starts(
        'small',
        names.map(([id]) => id),
      ),
      ...nativeStart(of, 'small', 'small', () =>
        smallMessages(512, DATA_SEED).map((one) => format.encode(one as never)),
      ),
    },
    races: [race('encode', 'Write a small message', into), race('decode', 'Read a small message')],
  };
};

const TEXT_RUNNERS = [
  ['postcard', OURS.objects],
  ['msgpackr-records', RIVALS.records],
  ['cbor-x-records', RIVALS.cborRecords],
  ['msgpack', RIVALS.msgpack],
] as const;

/** As its documents advise for who writes each message out before the next: no goal names it, as the goals were set without. */
const GIVEN = ['msgpackr-given', RIVALS.given] as const;

const textAndBlobs = (): readonly Workload[] => {
  const names = TEXT_RUNNERS;
  const withJson = [...names, ['json', RIVALS.json]] as const;
  const race = (label: string, what: string, title: string, of: Names): Race => ({
    id: `C-${what}-${label}`,
    title,
    words:
      what === 'encode'
        ? 'CPU each; ours into a buffer that is used again, others as they write by themselves if they are not given one'
        : 'CPU each, out of a buffer of its own',
    ...{ unit: 'ns', units: 1, absent: {}, runners: runnersOf(of, `${what}-${label}`) },
  });
  const both = (label: string, title: string, of: Names): readonly Race[] => [
    race(label, 'encode', `Write ${title}`, [...of, GIVEN]),
    race(label, 'decode', `Read ${title}`, of),
  ];
  const ids = (of: Names): readonly string[] => of.map(([id]) => id);
  return [
    {
      id: 'C',
      share: 0.2,
      processes: starts('text', ids([...withJson, GIVEN])),
      races: TEXT_KINDS.flatMap((kind) =>
        TEXT_CHARS.flatMap((chars) => both(`${kind}-${chars}`, `${chars} characters, ${kind}`, withJson)),
      ),
    },
    {
      id: 'C',
      share: 0.2,
      processes: starts('blobs', ids([...names, GIVEN])),
      races: BLOB_BYTES.flatMap((bytes) => both(`${bytes}`, `a blob of ${bytes} bytes`, names)),
    },
  ];
};

const cobs = (of: Native): Workload => {
  const bodies = cobsBodies();
  const names = [
    ['postcard', OURS.objects],
    ['cobs', RIVALS.cobs],
  ] as const;
  const race = (what: 'encode' | 'decode', name: string, bytes: number, i: number): Race => {
    const crate = native(of, [[RIVALS.nativeCobs, `${what}-${i}`]]);
    return {
      id: `D-${what}-${i}`,
      title: `COBS ${what === 'encode' ? 'on' : 'off'} ${name}`,
      words: 'CPU per KiB of body',
      ...{ unit: 'ns/KiB', units: bytes / 1024, absent: crate.absent },
      runners: [...runnersOf(names, `${what}-${i}`), ...crate.runners],
    };
  };
  return {
    id: 'D',
    share: 0.2,
    processes: {
      ...starts('cobs', ['postcard', 'cobs']),
      ...nativeStart(of, 'cobs', 'cobs', () => bodies.map(({ bytes }) => bytes)),
    },
    races: bodies.flatMap(({ name, bytes }, i) => [
      race('encode', name, bytes.length, i),
      race('decode', name, bytes.length, i),
    ]),
  };
};

const MEGABYTES = 2;

const frames = (): Workload => {
  const names = [
    ['postcard', OURS.objects],
    ['concat', RIVALS.concat],
  ] as const;
  const race = (frame: number, chunk: number, of: Names): Race => ({
    id: `E-${frame}/${chunk}`,
    title: `Split frames of ${frame} bytes in chunks of ${chunk}`,
    words: 'CPU per megabyte of stream; `Buffer.concat` is what everybody writes first',
    ...{ unit: 'ns/MB', units: MEGABYTES, absent: {}, runners: runnersOf(of, `${frame}/${chunk}`) },
  });
  return {
    id: 'E',
    share: 0.2,
    processes: starts('frames', ['postcard', 'concat']),
    races: [
      ...FRAME_CUTS.map(([frame, chunk]) => race(frame, chunk, names)),
      ...SLOPE_FRAMES.map((frame) => race(frame, SLOPE_CHUNK, names.slice(0, 1))),
    ],
  };
};

/** What is left of a workload when only goals matter. */
const asked = (workload: Workload, goals: readonly CodecGoal[]): Workload => {
  const of = goals.filter(({ race }) => workload.races.some(({ id }) => id === race));
  const ids = of.flatMap(racesOf);
  const names = of.flatMap(({ ours, against = ours }) => [ours, against]);
  const races = workload.races
    .filter(({ id }) => ids.includes(id))
    .map((race) => ({
      ...race,
      runners: race.runners.filter(({ name }) => names.includes(name)),
      absent: Object.fromEntries(Object.entries(race.absent).filter(([name]) => names.includes(name))),
    }));
  const used = races.flatMap(({ runners }) => runners.map((runner) => runner.process));
  const processes = Object.entries(workload.processes).filter(([key]) => used.includes(key));
  return { ...workload, races, processes: Object.fromEntries(processes) };
};

/** Every workload in the order in which they are run. */
export const codecPlan = (of: Native, sizes: CodecSizes): readonly Workload[] => {
  const all = [bulk(of, sizes), ...large(sizes), small(of), ...textAndBlobs(), cobs(of), frames()];
  const goals = codecGoals();
  return sizes.nearestOnly ? all.map((workload) => asked(workload, goals)) : all;
};
