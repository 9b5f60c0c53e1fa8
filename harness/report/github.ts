import type { ReportModel } from './model.ts';
import { plain } from './words.ts';

/** Workflow commands: data and properties have their own escapes (GitHub: toolkit, command). */
export const data = (text: string): string =>
  plain(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
/** See `data`. */
export const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

/** One annotation a pinned check: `::error` for a broken MUST, `::warning` for an undecided one, `::notice` for observations. */
export const renderGithub = (model: ReportModel): readonly string[] =>
  model.checks
    .filter((check) => check.pin !== '')
    .map(({ standing, judgement, pin }) => {
      const command = standing === 'fail' ? 'error' : standing === 'inconclusive' ? 'warning' : 'notice';
      const text = `${judgement.summary}\nexpected: ${judgement.expected}\ngot: ${judgement.got}\nagain: ${model.run.rerun}`;
      return `::${command} title=${property(`${pin} ${judgement.clause}`)}::${data(text)}`;
    });
