/** What the identity relay is to reach: its CPU time beside Offset's, its throughput beside TLS, its memory, and that nobody hinders others. */
import { type Goal, type JudgedGoal, judgeGoal } from '../goals.ts';
import type { Measured, Row } from '../measure.ts';
import { type Estimate, estimate, ratio } from '../statistics.ts';
import {
  HANDSHAKES_ID,
  HINDERED_ID,
  IDLE_ID,
  IDLE_NODES,
  messagesId,
  type Size,
  tunnelWords,
} from './identity-measure.ts';
import { NAMES } from './relay-contenders.ts';

/** CPU time of Offset's strelay, measured once on a machine of this kind; used where its binary is not given. */
export const RECORDED = { handshakeMillis: 0.9, message1Micros: 361, message64Micros: 836 } as const;

export const SIZES: readonly Size[] = [1_024, 65_536].flatMap((messageBytes) =>
  [1, 50].map((tunnels) => ({ messageBytes, tunnels })),
);

const rowOf = (measures: readonly Measured[], id: string, name: string): Row | string => {
  const row = measures.find((one) => one.id === id)?.rows.find((one) => one.name === name);
  if (row === undefined) return 'not part of this run';
  return row.estimate.rounds === 0 ? `${name}: ${row.why ?? 'no round gave a figure'}` : row;
};
const numbers = (values: readonly (number | null)[]): readonly number[] =>
  values.map((value) => value ?? Number.NaN);

type Nameless = Omit<Goal, 'id'>;
type Judged = readonly [goal: Nameless, figure: Estimate | string];

/** Our CPU time over Offset's: of the same run where it took part, else of the record. */
const besideOffset = (
  measures: readonly Measured[],
  id: string,
  what: string,
  recorded: readonly [value: number, words: string],
  limit: number,
): Judged => {
  const ours = rowOf(measures, id, NAMES.own);
  const theirs = rowOf(measures, id, NAMES.offset);
  const against =
    typeof theirs === 'string'
      ? `Offset as recorded elsewhere (${recorded[0]} ${recorded[1]})`
      : NAMES.offset;
  const goal: Nameless = { what, against, sense: 'at most', limit, unit: 'x' };
  if (typeof ours === 'string') return [goal, ours];
  const costs = numbers(ours.costs);
  return [
    goal,
    typeof theirs === 'string'
      ? estimate(costs.map((cost) => cost / recorded[0]))
      : ratio(costs, numbers(theirs.costs)),
  ];
};

const besideTls = (measures: readonly Measured[], size: Size): Judged => {
  const id = messagesId(size);
  const [ours, theirs] = [rowOf(measures, id, NAMES.own), rowOf(measures, id, NAMES.tls)];
  const goal: Nameless = {
    what: tunnelWords(size),
    against: NAMES.tls,
    sense: 'at least',
    ...{ limit: 0.7, unit: 'x' },
  };
  if (typeof ours === 'string') return [goal, ours];
  if (typeof theirs === 'string') return [goal, theirs];
  return [goal, ratio(numbers(ours.values), numbers(theirs.values))];
};

const alone = (
  measures: readonly Measured[],
  id: string,
  { what, limit, unit }: Pick<Goal, 'what' | 'limit' | 'unit'>,
): Judged => {
  const row = rowOf(measures, id, NAMES.own);
  return [
    { what, against: undefined, sense: 'at most', limit, unit },
    typeof row === 'string' ? row : row.estimate,
  ];
};

/** Every goal with its verdict. */
export const judgeIdentity = (measures: readonly Measured[]): readonly JudgedGoal[] =>
  [
    besideOffset(
      measures,
      messagesId({ messageBytes: 1_024, tunnels: 1 }),
      'CPU time of a 1 KiB message',
      [RECORDED.message1Micros, 'us'],
      0.15,
    ),
    besideOffset(
      measures,
      messagesId({ messageBytes: 65_536, tunnels: 1 }),
      'CPU time of a 64 KiB message',
      [RECORDED.message64Micros, 'us'],
      0.5,
    ),
    besideOffset(measures, HANDSHAKES_ID, 'CPU time of a handshake', [RECORDED.handshakeMillis, 'ms'], 1),
    ...SIZES.map((size) => besideTls(measures, size)),
    alone(measures, IDLE_ID, {
      what: `memory with ${IDLE_NODES.toLocaleString('en')} idle nodes`,
      limit: 150,
      unit: 'MB',
    }),
    alone(measures, HINDERED_ID, {
      what: 'a round trip beside a silent and a stalled client, over one without',
      limit: 1.5,
      unit: 'x',
    }),
  ].map(([goal, figure], index) => {
    const named = { ...goal, id: `I${index + 1}` };
    return typeof figure === 'string' ? judgeGoal(named, undefined, figure) : judgeGoal(named, figure);
  });
