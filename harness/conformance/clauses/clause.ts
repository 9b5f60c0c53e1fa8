/** One requirement of one protocol, with a number that never changes its meaning. Scenarios and the gate cite these. */
import type { Level } from '../../verdict/verdict.ts';

export type Clause = {
  /** `PROTOCOL-TOPIC-n`. A clause that is given up keeps its id for ever; a new requirement gets a new one. */
  readonly id: string;
  readonly level: Level;
  /** A few words for a list. */
  readonly title: string;
  /** The requirement in one sentence. */
  readonly requires: string;
  /** Document and section that obliges it, or why a SHOULD is asked for. */
  readonly source: string;
  /** What it looks like on the wire, or in numbers. */
  readonly wire: string;
  /** What usually breaks it; public bugs as owner/name#number. */
  readonly breaks: readonly string[];
};
