/** What a case found out, and the ways a case ends early. Pure words: nothing here touches a socket or a clock. */
import type { Blame, Level, Verdict } from '../verdict/verdict.ts';
import type { WireEvent } from './wire/wire-log.ts';

/** How a conversation was closed, judged apart from what was said in it: latitude, unless a clause of its own asks for more. */
export type Closing = 'in order' | 'reset' | 'left open' | 'not judged';

/** A machine that may itself be why a case failed: `slow` where it answered nobody in time, which leaves every failure in doubt. */
export type Strain = { readonly slow: boolean; readonly words: string };

/** One case on one path (link and NAT). Plain data: every renderer prints from this. */
export type CaseResult = {
  /** `port-relay/reg/silent-probe`. */
  readonly id: string;
  readonly title: string;
  /** The clause that is judged, and its level. */
  readonly clause: string;
  readonly level: Level;
  /** Name of the link profile and NAT preset, `direct` without either. */
  readonly path: string;
  readonly verdict: Verdict;
  readonly blame: Blame | undefined;
  readonly closing: Closing;
  readonly expected: string;
  readonly got: string;
  /** Latitude and measurements: reported, never counted. */
  readonly observations: readonly string[];
  /** What the faults of the path really did in this case. */
  readonly receipts: readonly string[];
  /** What went over the wire, oldest first, bounded. */
  readonly wire: readonly WireEvent[];
  readonly millis: number;
  /** Of a case that failed: what the machine itself lacked meanwhile, where it lacked anything. */
  readonly strain: Strain | undefined;
  /** The command that runs just this case again. */
  readonly rerun: string;
};

/** The target did not do what the clause asks for: the case fails, and the target is to blame. */
export class Broken extends Error {
  override readonly name = 'Broken';
  readonly expected: string;
  readonly got: string;

  constructor(expected: string, got: string) {
    super(`expected ${expected}; got ${got}`);
    this.expected = expected;
    this.got = got;
  }
}

/** It could not be told: the machine was too slow, the fault left no receipt, the situation did not come about. */
export class Unclear extends Error {
  override readonly name = 'Unclear';
  readonly blame: Blame;

  constructor(why: string, blame: Blame = 'environment') {
    super(why);
    this.blame = blame;
  }
}

/** The target lacks what the case is about, and says so in its capabilities. */
export class NotApplicable extends Error {
  override readonly name = 'NotApplicable';
}
