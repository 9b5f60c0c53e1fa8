/** `relaylab explain CLAUSE`: what it asks for, where that comes from, what usually breaks it. */
import { CLAUSES } from '../conformance/clauses/registry.ts';
import { unknown } from './usage.ts';

/** @throws UsageError naming the nearest */
export const explain = (id: string): string => {
  const clause = CLAUSES.get(id.toUpperCase());
  if (clause === undefined) throw unknown('clause', id, [...CLAUSES.keys()]);
  return [
    `${clause.id}  ${clause.level}  ${clause.title}`,
    '',
    `  ${clause.requires}`,
    '',
    `  source  ${clause.source}`,
    `  wire    ${clause.wire}`,
    `  breaks  ${clause.breaks.join('\n          ')}`,
  ].join('\n');
};
