import type { GateModel } from '../../conformance/gate.ts';
import { data, property } from '../github.ts';
import { onPath } from './gate-words.ts';

/** GitHub shows ten of a kind at a step; the rest would only be noise in the log. */
const SHOWN_MAX = 10;

/** `::error` for a broken MUST or a stale entry, `::warning` for an undecided case; what is not counted is left to the page. */
export const renderGateGithub = (model: GateModel): readonly string[] => {
  const rows = (['fail', 'inconclusive'] as const).flatMap((wanted) =>
    model.rows
      .filter(({ standing }) => standing === wanted)
      .slice(0, SHOWN_MAX)
      .map((row) => {
        const command = wanted === 'fail' ? 'error' : 'warning';
        const text = `${row.id}${onPath(row.path)}: ${row.title}\nexpected: ${row.expected}\ngot: ${row.got}\nagain: ${row.rerun}`;
        return `::${command} title=${property(`${row.pin} ${row.clause}`)}::${data(text)}`;
      }),
  );
  const stale = model.stale
    .slice(0, SHOWN_MAX)
    .map(({ entry, why }) => `::error title=${property('stale baseline')}::${data(`${entry.case}: ${why}`)}`);
  return [...rows, ...stale];
};
