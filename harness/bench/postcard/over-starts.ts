/**
 * The median of rounds that several starts of the same processes gave, and what it may be.
 *
 * Rounds of one start are not independent: what V8 makes of a contender's code when it starts stays for all of them, and differs from
 * start to start by up to a fifth. An interval that takes all rounds for independent (the sign test's) tells how well these starts are
 * known, not how the next one will be. Simulated with starts and rounds that spread alike (8 %), that of 13 rounds of one start holds
 * the true median in 55 % of all cases instead of 95, that of 40 rounds of each of three in 42 %: more rounds make it worse.
 *
 * So the interval is a hierarchical bootstrap's: starts are drawn with replacement, then rounds within each that was drawn, and the
 * middle 95 % of the medians of such draws is the interval. From the medians of two or three starts alone there is none worth the name
 * (Student's factor for two is 12.7); drawn like this, the rounds' own noise widens what the starts show. Of k starts only k - 1
 * differences are free, so what is drawn from them spreads by the root of (k - 1) / k too little: before the drawing each start is
 * moved away from their mean by the inverse. In the same simulation it holds the true median in 89 % with three starts of three
 * to five rounds each, 94 % with four of three, 96 % with six of sixteen; in 96 % or more where starts do not differ, and with three starts in 84 %
 * where they differ twice as much as rounds. Few starts cannot promise more.
 */
import { rngFor } from '../../../reference-impl/machine/rng.ts';
import { type Estimate, estimate, mean, median, quantile } from '../statistics.ts';

const DRAWS = 1000;
const TAIL = 0.025;
/** The same rounds give the same interval, whoever asks and however often. */
const SEED = 1;

const blocks = (values: readonly number[], count: number): readonly (readonly number[])[] => {
  const length = Math.ceil(values.length / count);
  return Array.from({ length: count }, (_, i) =>
    values.slice(i * length, (i + 1) * length).filter(Number.isFinite),
  ).filter((block) => block.length > 0);
};

/** Moved away from the mean of all so far that what is drawn from few spreads as what they were drawn from. */
const spread = (starts: readonly (readonly number[])[]): readonly (readonly number[])[] => {
  const middles = starts.map(median);
  const middle = mean(middles);
  const more = Math.sqrt(starts.length / (starts.length - 1)) - 1;
  return starts.map((start, i) => start.map((value) => value + more * ((middles[i] as number) - middle)));
};

/**
 * The median of all rounds with its interval. Values that are no number do not count.
 * @param values of all rounds, those of one start behind those of the one before, of each equally many
 * @param starts how many; with one there is no telling how the next would be, and the interval is that of its rounds
 */
export const estimateOverStarts = (values: readonly (number | null)[], starts: number): Estimate => {
  const numbers = values.map((value) => value ?? Number.NaN);
  const found = blocks(numbers, starts);
  const plain = estimate(numbers);
  if (found.length < 2) return plain;
  const rng = rngFor(SEED, 'over starts');
  const moved = spread(found);
  const medians = Array.from({ length: DRAWS }, () =>
    median(
      moved.flatMap(() => {
        const start = moved[rng.below(moved.length)] as readonly number[];
        return start.map(() => start[rng.below(start.length)] as number);
      }),
    ),
  );
  return {
    ...plain,
    low: Math.min(plain.value, quantile(medians, TAIL)),
    high: Math.max(plain.value, quantile(medians, 1 - TAIL)),
  };
};

/** Ours over theirs round by round, so that what slowed a whole round down does not count. See `estimateOverStarts`. */
export const ratioOverStarts = (
  ours: readonly (number | null)[],
  theirs: readonly (number | null)[],
  starts: number,
): Estimate =>
  estimateOverStarts(
    ours.map((own, round) => (own ?? Number.NaN) / (theirs[round] ?? Number.NaN)),
    starts,
  );
