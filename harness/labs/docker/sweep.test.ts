import t from 'tap';
import { LABEL, runLabels } from './labels.ts';
import { deadRuns, type Marked } from './sweep.ts';

const marked = (kind: Marked['kind'], run: string, pid: number, keep = false): Marked => ({
  kind,
  labels: runLabels(run, { host: 'box', pid, startedAt: '1' }, keep),
});
const DEAD_PID = 666;
const swept = (...all: readonly Marked[]) => deadRuns(all, (owner) => owner?.pid === DEAD_PID);

t.test('a run is swept when its owner is dead, and named once', async (t) => {
  t.same(
    swept(marked('container', 'a', DEAD_PID), marked('network', 'a', DEAD_PID), marked('container', 'b', 7)),
    ['a'],
  );
});

t.test('a run somebody alive has a part in is left alone', async (t) => {
  t.same(swept(marked('container', 'a', DEAD_PID), marked('network', 'a', 7)), []);
});

t.test('a kept run goes once only its networks are left', async (t) => {
  const [container, network] = [
    marked('container', 'a', DEAD_PID, true),
    marked('network', 'a', DEAD_PID, true),
  ];
  t.same(swept(container, network), []);
  t.same(swept(network), ['a']);
});

t.test('what lacks a mark is not ours, whatever else it carries', async (t) => {
  const { labels } = marked('container', 'a', DEAD_PID);
  for (const missing of [LABEL.lab, LABEL.run, LABEL.owner] as const) {
    const rest = Object.fromEntries(Object.entries(labels).filter(([name]) => name !== missing));
    t.same(swept({ kind: 'container', labels: rest }), [], missing);
  }
  t.same(swept({ kind: 'container', labels: { ...labels, [LABEL.lab]: 'another' } }), []);
});
