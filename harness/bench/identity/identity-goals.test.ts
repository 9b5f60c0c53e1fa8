import t from 'tap';
import type { Measured, Row } from '../measure.ts';
import { estimate } from '../statistics.ts';
import { judgeIdentity, RECORDED, SIZES } from './identity-goals.ts';
import { HANDSHAKES_ID, IDLE_ID, messagesId } from './identity-measure.ts';
import { NAMES } from './relay-contenders.ts';

const row = (name: string, costs: readonly number[], values: readonly number[] = costs): Row => ({
  ...{ name, own: true, values, estimate: estimate(values), costs, beside: {}, failed: 0, why: undefined },
});
const measure = (id: string, rows: readonly Row[]): Measured => ({
  ...{ id, title: id, words: '', unit: '', better: 'more', rows },
});
const SIX = [0.9, 0.95, 1, 1, 1.05, 1.1];
const times = (factor: number): readonly number[] => SIX.map((value) => value * factor);
const [small] = SIZES;
const oneTunnel = messagesId(small ?? { messageBytes: 0, tunnels: 0 });

t.test(
  "without Offset's relay its recorded figures stand in the goals, and are named as recorded",
  async (t) => {
    const goals = judgeIdentity([
      measure(oneTunnel, [row(NAMES.own, times(0.1 * RECORDED.message1Micros))]),
      measure(HANDSHAKES_ID, [row(NAMES.own, times(2 * RECORDED.handshakeMillis))]),
      measure(IDLE_ID, [row(NAMES.own, [], [140, 149])]),
    ]);
    t.match(goals[0], { verdict: 'met', against: /as recorded elsewhere \(361 us/, figure: { value: 0.1 } });
    t.match(goals[1], { verdict: 'not measured', why: 'not part of this run' });
    t.match(goals[2], { verdict: 'missed', against: /0\.9 ms/ });
    t.match(goals[3], { verdict: 'not measured', against: NAMES.tls });
    t.match(goals[7], { verdict: 'met', unit: 'MB' });
  },
);

t.test('with it the ratio is of the same rounds, and throughput is beside TLS', async (t) => {
  const goals = judgeIdentity([
    measure(oneTunnel, [
      row(NAMES.own, times(1), times(60)),
      row(NAMES.offset, times(8), times(20)),
      row(NAMES.tls, times(1), times(100)),
    ]),
  ]);
  t.match(goals[0], { verdict: 'met', against: NAMES.offset, figure: { value: 0.125, low: 0.125 } });
  t.match(goals[3], { verdict: 'missed', figure: { value: 0.6 } });
});
