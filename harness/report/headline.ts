import type { ReportModel } from './model.ts';
import { bytes, count, duration, sentence, whole } from './words.ts';

/** A finding in words: clause ids belong into the list, never into a sentence. */
const inWords = (model: ReportModel, pin: string): string | undefined => {
  const check = model.checks.find((candidate) => candidate.pin === pin);
  if (check === undefined) return undefined;
  const { summary, title, clause } = check.judgement;
  return sentence((summary === '' || summary.includes(clause) ? title : summary).replace(/\s+/g, ' '));
};

const clientsBehind = (model: ReportModel): string => {
  const clients = count(model.clients.declared, 'client');
  return model.sites.length === 0 ? clients : `${clients} behind ${count(model.sites.length, 'NAT')}`;
};

/** Longest time from a fault until everybody was back; undefined: nobody was thrown out, or somebody stayed away. */
const slowestReturn = (model: ReportModel): number | undefined => {
  const times = model.faults.flatMap((fault) => fault.backAfterMicros ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
};

const passed = (model: ReportModel): string => {
  const { clients, ledger } = model;
  if (clients.declared === 0 && model.points.rows.length > 0) return pointsHeadline(model);
  if (clients.declared === 0) {
    const clauses = count(model.counts.pass, 'check passes', 'checks pass');
    return ledger.tunnels === 0
      ? sentence(clauses)
      : `${sentence(clauses)} ${bytesSentence(model, count(ledger.tunnels, 'tunnel'))}`;
  }
  const back = slowestReturn(model);
  const missing = model.lanes.reduce((sum, lane) => sum + lane.missingAtEnd, 0);
  const lost =
    clients.losses === 0
      ? 'kept their paths throughout'
      : `lost their paths ${clients.losses === 1 ? 'once' : `${whole(clients.losses)} times`}`;
  const returned =
    clients.losses === 0 || missing > 0 || back === undefined
      ? ''
      : ` All came back within ${duration(back)}`;
  const noByte = ledger.ended > 0 && ledger.lost === 0;
  const end = noByte
    ? returned === ''
      ? ' No byte is missing.'
      : ', and no byte is missing.'
    : returned === ''
      ? ''
      : '.';
  return `${clientsBehind(model)} ${lost}.${returned}${end}`;
};

/** A measurement without relay clients. */
const pointsHeadline = ({ points, sites }: ReportModel): string => {
  const made = points.rows.reduce((sum, row) => sum + row.made, 0);
  const stored = points.rows.reduce((sum, row) => sum + row.stored + row.counted, 0);
  const agents = `${count(points.rows.length, 'agent')} behind ${count(sites.length, 'NAT')}`;
  if (made === 0) return `${count(stored, 'point')} of ${agents} were stored.`;
  const lost = made - stored;
  return lost === 0
    ? `${count(made, 'point')} of ${agents} are stored, each once.`
    : `${whole(stored)} of ${count(made, 'point')} of ${agents} are stored.`;
};

const bytesSentence = (model: ReportModel, through: string): string => {
  const sent = model.ledger.rows.reduce((sum, row) => sum + row.sent, 0);
  return model.ledger.lost === 0
    ? `${bytes(sent)} went through ${through}, and no byte is missing.`
    : `${bytes(model.ledger.lost)} of ${bytes(sent)} are missing.`;
};

/** The verdict as one claim made of the run's own numbers. */
export const defaultHeadline = (model: ReportModel): string => {
  switch (model.outcome) {
    case 'failed':
      return inWords(model, 'F1') ?? 'The run failed.';
    case 'undecided':
      return inWords(model, 'U1') ?? 'Nothing was judged, so nothing is proved.';
    case 'interrupted':
      return `Interrupted at ${duration(model.run.endMicros)}: this is what was seen so far.`;
    case 'harness error':
      return 'The lab broke before the relay could be judged.';
    case 'not run':
      return 'The run did not begin.';
    case 'stale baseline':
      return 'Something that was known to fail passes now: the baseline is out of date.';
    case 'passed':
      return passed(model);
  }
};

/** One or two sentences under the headline: the rest of the story in numbers. */
export const detailOf = (model: ReportModel): string => {
  const parts: string[] = [];
  const { ledger, counts } = model;
  const summaries = new Set<string>();
  if (model.outcome === 'failed') {
    for (const check of model.checks) {
      if (check.standing !== 'fail' || check.pin === 'F1' || summaries.size === 2) continue;
      const words = inWords(model, check.pin);
      if (words !== undefined) summaries.add(words);
    }
    const more = counts.fail - 1 - summaries.size;
    parts.push(
      ...summaries,
      ...(more > 0 ? [`${count(more, 'more check fails', 'more checks fail')}.`] : []),
    );
  }
  const sent = ledger.rows.reduce((sum, row) => sum + row.sent, 0);
  if (ledger.ended > 0 && ledger.lost === 0) {
    const cut =
      ledger.cutsExplained === 0
        ? ''
        : `; ${count(ledger.cutsExplained, 'tunnel was', 'tunnels were')} cut by faults that left a receipt`;
    parts.push(
      `${bytes(sent)} through ${count(ledger.ended, 'tunnel')}, every byte accounted for by its position code${cut}.`,
    );
  } else if (ledger.lost > 0) {
    parts.push(
      `${bytes(ledger.lost)} of ${bytes(sent)} are missing, ${count(ledger.cutsUnexplained, 'tunnel was', 'tunnels were')} cut short without a cause.`,
    );
  }
  if (model.outcome !== 'passed' && counts.pass > 0) parts.push(`${count(counts.pass, 'check')} passed.`);
  return parts.join(' ');
};
