import type { Fleet } from '../measure/comeback.ts';
import type { RatioRow } from '../measure/speed.ts';
import type { ReportModel } from './model.ts';
import { count, percent, whole } from './words.ts';

/** The three or four lines under the counts: the same in the terminal and in the job summary. Empty topics are left out. */
export type SummaryLine = {
  readonly topic: 'faults' | 'backoff' | 'speed' | 'ledger';
  readonly text: string;
};

const share = (n: number): string => n.toFixed(2);

/** `pool 0.42 of direct (0.39 to 0.45)`; without an interval the number of rounds. */
export const ratioWords = (row: RatioRow): string => {
  const doubt =
    row.interval === undefined
      ? `${count(row.rounds, 'round')} only`
      : `${share(row.interval[0])} to ${share(row.interval[1])}`;
  return `${row.mode} ${share(row.ratio)} of direct (${doubt})`;
};

/** What one fleet did on its way back, with the limit beside it. */
export const fleetWords = (fleet: Fleet): string => {
  const fits =
    fleet.outside === 0
      ? `${whole(fleet.attempts)} waits inside the envelope`
      : `${whole(fleet.outside)} of ${count(fleet.attempts, 'wait')} outside the envelope`;
  const seen = fleet.herds.filter((herd) => herd.readyMicros !== undefined);
  if (seen.length === 0) return fits;
  const busiest = Math.max(...seen.map((herd) => herd.busiestShare));
  const limit = fleet.herdLimit === undefined ? '' : ` (limit ${percent(fleet.herdLimit)})`;
  return `${fits}; busiest 100 ms after the relay was back: ${percent(busiest)} of the fleet${limit}`;
};

export const summaryLines = (model: ReportModel): readonly SummaryLine[] => {
  const lines: SummaryLine[] = [];
  const proved = model.faults.filter((fault) => fault.proved).length;
  if (model.faults.length > 0)
    lines.push({ topic: 'faults', text: `${proved} of ${model.faults.length} left a receipt` });
  for (const fleet of model.fleets) {
    if (fleet.attempts === 0) continue;
    const name = model.fleets.length > 1 ? `${fleet.name}: ` : '';
    lines.push({ topic: 'backoff', text: `${name}${fleetWords(fleet)}` });
  }
  if (model.speed.ratios.length > 0)
    lines.push({ topic: 'speed', text: model.speed.ratios.map(ratioWords).join(', ') });
  if (model.ledger.ended > 0) {
    const { ended, lost, cutsExplained, cutsUnexplained } = model.ledger;
    lines.push({
      topic: 'ledger',
      text:
        `${count(ended, 'tunnel')}, ${lost === 0 ? 'no byte' : count(lost, 'byte')} missing, ` +
        `${whole(cutsUnexplained)} cut short without a cause, ${whole(cutsExplained)} by receipted faults`,
    });
  }
  return lines;
};
