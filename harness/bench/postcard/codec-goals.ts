/** What the codec is to reach, and the verdict on it: ratios of CPU time, round by round, of one run. */
import { type Goal, type JudgedGoal, judgeGoal } from '../goals.ts';
import type { Row } from '../measure.ts';
import type { Estimate } from '../statistics.ts';
import { BLOB_BYTES, cobsBodies, SLOPE_CHUNK, SLOPE_FRAMES, TEXT_CHARS, TEXT_KINDS } from './inputs.ts';
import { OURS, RIVALS } from './names.ts';
import { estimateOverStarts, ratioOverStarts } from './over-starts.ts';
import type { Raced, Workload } from './race.ts';

/** A goal and which rows of which race it compares. */
export type CodecGoal = Goal & {
  readonly workload: Workload['id'];
  readonly race: string;
  readonly ours: string;
  /** `times`: their CPU over ours; `cost`: ours over theirs; `bytes`: ours over theirs; `growth`: see `growth`. */
  readonly by: 'times' | 'cost' | 'bytes' | 'growth';
};

export type JudgedCodecGoal = JudgedGoal & Pick<CodecGoal, 'workload' | 'race'>;

type Facts = Pick<CodecGoal, 'workload' | 'race' | 'ours' | 'limit' | 'what'> & { readonly against?: string };

const goal = (
  { against, ...facts }: Facts,
  by: CodecGoal['by'],
  sense: Goal['sense'],
  unit: string,
): CodecGoal => ({
  ...facts,
  ...{ against, by, sense, unit },
  id: `${facts.race} ${facts.ours} ${against ?? ''} ${by}`,
});

/** So many times as fast as somebody. */
const times = (facts: Facts): CodecGoal => goal(facts, 'times', 'at least', 'x');
/** At most so many times somebody's CPU. */
const cost = (facts: Facts): CodecGoal => goal(facts, 'cost', 'at most', 'x');
/** At most so many times somebody's bytes. */
const bytes = (facts: Facts): CodecGoal => goal(facts, 'bytes', 'at most', 'x');

const WRITE = { workload: 'A', race: 'A-encode', what: 'Write points', ours: OURS.objects } as const;
const READ = { workload: 'A', race: 'A-decode', what: 'Read points', ours: OURS.objects } as const;
const KEEP = { workload: 'A', race: 'A-kept', against: RIVALS.records } as const;
const FORGET = { workload: 'A', race: 'A-columns', against: RIVALS.records } as const;

const BULK: readonly CodecGoal[] = [
  times({ ...WRITE, against: RIVALS.records, limit: 5 }),
  times({ ...WRITE, against: RIVALS.protobufjs, limit: 3 }),
  times({ ...WRITE, against: RIVALS.serde, limit: 50 }),
  cost({ ...WRITE, what: 'Write points, CPU', against: RIVALS.native, limit: 2.2 }),
  times({ ...READ, against: RIVALS.records, limit: 2 }),
  times({ ...READ, against: RIVALS.avsc, limit: 3 }),
  times({ ...READ, against: RIVALS.json, limit: 6 }),
  times({ ...READ, against: RIVALS.serde, limit: 18 }),
  times({ ...READ, against: RIVALS.native, limit: 1 }),
  bytes({ ...WRITE, what: 'Bytes of a point', against: RIVALS.records, limit: 0.81 }),
  bytes({ ...WRITE, what: 'Bytes of a point', against: RIVALS.json, limit: 0.26 }),
  times({ ...KEEP, what: 'Read and keep: objects', ours: OURS.objects, limit: 3 }),
  times({ ...KEEP, what: 'Read and keep: columns, dictionary', ours: OURS.dictionary, limit: 9 }),
  times({ ...KEEP, what: 'Read and keep: columns, references', ours: OURS.references, limit: 20 }),
  times({ ...FORGET, what: 'Read columns: dictionary', ours: OURS.dictionary, limit: 3 }),
  times({ ...FORGET, what: 'Read columns: references', ours: OURS.references, limit: 6 }),
  times({ ...FORGET, what: 'Read columns: references, arrays reused', ours: OURS.reused, limit: 11 }),
  times({ ...WRITE, what: 'Write, u64 as bigint', ours: OURS.bigint, against: RIVALS.records, limit: 4.5 }),
  times({ ...READ, what: 'Read, u64 as bigint', ours: OURS.bigint, against: RIVALS.records, limit: 1.8 }),
  times({ ...WRITE, what: 'Write, no eval', ours: OURS.noEval, against: RIVALS.records, limit: 3.5 }),
  times({ ...READ, what: 'Read, no eval', ours: OURS.noEval, against: RIVALS.records, limit: 0.65 }),
];

const SMALL = { workload: 'B', against: RIVALS.records } as const;
const SMALLS: readonly CodecGoal[] = [
  times({ ...SMALL, race: 'B-encode', what: 'encodeInto, eight fields', ours: OURS.into, limit: 8 }),
  times({ ...SMALL, race: 'B-encode', what: 'encode, eight fields', ours: OURS.objects, limit: 4 }),
  times({ ...SMALL, race: 'B-decode', what: 'decode, eight fields', ours: OURS.objects, limit: 2.5 }),
];

const TEXT = { workload: 'C', ours: OURS.objects, against: RIVALS.records } as const;
/** Characters from which on decoding text that is not ASCII has a goal. */
const LONG_TEXT_CHARS = 1024;

/**
 * Set on ASCII, with ours into a buffer used again and msgpackr writing as it does by itself. Given a buffer too, it is as fast for
 * 64 KiB, and for other text of that length: both are then one native copy. The page shows those rows; they have no goal.
 */
const textWritten = (chars: number): Facts => ({
  ...{ ...TEXT, race: `C-encode-ascii-${chars}`, limit: 3 },
  what: `Write ${chars} characters, ascii, into one buffer (msgpackr into its own)`,
});

const textGoals = (): readonly CodecGoal[] =>
  TEXT_KINDS.flatMap((kind) =>
    TEXT_CHARS.flatMap((chars) => {
      const said = `${chars} characters, ${kind}`;
      const read = { ...TEXT, race: `C-decode-${kind}-${chars}`, what: `Read ${said}` };
      return [
        ...(kind === 'ascii' ? [times(textWritten(chars)), times({ ...read, limit: 1.3 })] : []),
        ...(kind !== 'ascii' && chars >= LONG_TEXT_CHARS ? [times({ ...read, limit: 5 })] : []),
      ];
    }),
  );

const blobGoals = (): readonly CodecGoal[] =>
  BLOB_BYTES.map((size) =>
    times({ ...TEXT, race: `C-decode-${size}`, what: `Read a blob of ${size} bytes as a view`, limit: 1.5 }),
  );

const cobsGoals = (): readonly CodecGoal[] =>
  cobsBodies().flatMap(({ name, zeros }, i) => {
    const few = zeros === 'few';
    const write = {
      workload: 'D',
      race: `D-encode-${i}`,
      ours: OURS.objects,
      what: `COBS on ${name}`,
    } as const;
    const read = {
      workload: 'D',
      race: `D-decode-${i}`,
      ours: OURS.objects,
      what: `COBS off ${name}`,
    } as const;
    return [
      times({ ...write, against: RIVALS.nativeCobs, limit: few ? 2 : 0.7 }),
      times({ ...write, against: RIVALS.cobs, limit: few ? 12 : 3 }),
      ...(few ? [times({ ...read, against: RIVALS.nativeCobs, limit: 1.8 })] : []),
      times({ ...read, against: RIVALS.cobs, limit: few ? 12 : 3 }),
    ];
  });

const SPLIT = { workload: 'E', ours: OURS.objects, against: RIVALS.concat } as const;
const FRAMES: readonly CodecGoal[] = [
  times({ ...SPLIT, race: 'E-15500/1460', what: 'Split 15 KB frames, 1460-byte chunks', limit: 4 }),
  times({ ...SPLIT, race: 'E-317000/1460', what: 'Split 317 KB frames, 1460-byte chunks', limit: 40 }),
  goal(
    {
      ...{ workload: 'E', race: `E-${SLOPE_FRAMES[0]}/${SLOPE_CHUNK}`, ours: OURS.objects, limit: 1.15 },
      what: 'Growth of time with frame length (1 linear, 2 quadratic)',
    },
    'growth',
    'at most',
    '',
  ),
];

/** All goals, in the order in which they are told. */
export const codecGoals = (): readonly CodecGoal[] => [
  ...BULK,
  ...SMALLS,
  ...textGoals(),
  ...blobGoals(),
  ...cobsGoals(),
  ...FRAMES,
];

/** The races that a goal's figure is made of. */
export const racesOf = ({ by, race }: CodecGoal): readonly string[] =>
  by === 'growth' ? SLOPE_FRAMES.map((frame) => `E-${frame}/${SLOPE_CHUNK}`) : [race];

const raceOf = (races: readonly Raced[], id: string): Raced | undefined =>
  races.find((race) => race.id === id);

const rowOf = (race: Raced | undefined, name: string | undefined): Row | undefined =>
  race?.rows.find((row) => row.name === name);

/**
 * How the time of a whole frame grows with its length: the exponent, by least squares on logarithms, round by round.
 * @param lengths of frames  @param nanosPerByte a list of rounds for each length  @param starts over which the rounds are spread
 */
export const growth = (
  lengths: readonly number[],
  nanosPerByte: readonly (readonly (number | null)[])[],
  starts: number,
): Estimate => {
  const x = lengths.map(Math.log);
  const mean = x.reduce((sum, one) => sum + one, 0) / x.length;
  const spread = x.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  const rounds = Math.min(...nanosPerByte.map(({ length }) => length));
  const exponents = Array.from({ length: Number.isFinite(rounds) ? rounds : 0 }, (_, round) => {
    const slope = x.reduce(
      (sum, one, i) => sum + (one - mean) * Math.log(nanosPerByte[i]?.[round] ?? Number.NaN),
      0,
    );
    return 1 + slope / spread;
  });
  return estimateOverStarts(exponents, starts);
};

const certain = (value: number): Estimate => ({ value, low: value, high: value, rounds: 1 });

const figureOf = (races: readonly Raced[], of: CodecGoal): Estimate | undefined => {
  const asked = racesOf(of).map((id) => raceOf(races, id));
  const starts = asked[0]?.starts ?? 1;
  const rows = asked.map((race) => rowOf(race, of.ours));
  if (of.by === 'growth')
    return growth(
      SLOPE_FRAMES,
      rows.map((row) => row?.values ?? []),
      starts,
    );
  const [ours, theirs] = [rows[0], rowOf(asked[0], of.against)];
  if (ours === undefined || theirs === undefined) return undefined;
  if (of.by === 'bytes')
    return certain((ours.beside.bytes ?? Number.NaN) / (theirs.beside.bytes ?? Number.NaN));
  return of.by === 'cost'
    ? ratioOverStarts(ours.values, theirs.values, starts)
    : ratioOverStarts(theirs.values, ours.values, starts);
};

/** The verdicts, of the goals whose races were run. */
export const judgeCodec = (races: readonly Raced[]): readonly JudgedCodecGoal[] =>
  codecGoals()
    .filter(({ race }) => races.some(({ id }) => id === race))
    .map((of) => {
      const { workload, race, ours, by, ...plain } = of;
      const why = rowOf(raceOf(races, race), of.against)?.why;
      return { ...judgeGoal(plain, figureOf(races, of), why), workload, race };
    });
