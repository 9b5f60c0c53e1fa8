/** The words of every judgement. Pure: nothing here touches a file, a clock or a socket. */

/** `inconclusive`: the run could not tell (no receipt, nothing exercised); never counted as passed. */
export type Verdict = 'pass' | 'fail' | 'inconclusive' | 'not-applicable';
/** Only MUST decides the exit code; a failed SHOULD is an observation. */
export type Level = 'MUST' | 'SHOULD';
export type Blame = 'target' | 'harness' | 'environment';

/** A piece of evidence: lines of the trace, or bytes with a reading beside them. */
export type Evidence = {
  /** Trace time in microseconds since run.began. */
  readonly t: number;
  /** Host path in the trace, e.g. `site-3/client-07`. */
  readonly who: string;
  /** One sentence: what happened here. */
  readonly text: string;
  /** The bytes, lower-case hex, at most 64 bytes. */
  readonly hex: string | undefined;
  /** Marks the event that broke the clause. */
  readonly here: boolean;
};

/** One arrow of a sequence diagram of a failure: who should have said what to whom. */
export type Step = {
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly t: number;
  readonly kind: 'seen' | 'wrong' | 'missing';
};

/** What a check says about one clause. A check is a pure function of the trace that returns a list of these. */
export type Finding = {
  /** Id in harness/conformance/clauses, e.g. `PORT-POOL-7`. */
  readonly clause: string;
  /** Of a clause that is judged part by part (each mode, each outage): which. Findings of one clause without it are joined. */
  readonly part?: string;
  readonly verdict: Verdict;
  readonly blame: Blame | undefined;
  /** One claim with the run's own numbers: "0 of 18 tunnels kept the answer after the user's half-close". */
  readonly summary: string;
  readonly expected: string;
  readonly got: string;
  /** How often the clause was exercised, and how often it did not hold. */
  readonly exercised: number;
  readonly broken: number;
  readonly evidence: readonly Evidence[];
  /** Empty, or the conversation of the first failure as arrows. */
  readonly ladder: readonly Step[];
  /**
   * When what broke is that something did not come in time, and nothing else: the stretches of trace time it was waited for. A
   * machine that had no processor time to spare in all of them makes the failure inconclusive.
   */
  readonly late?: readonly Stretch[];
};

/** Trace time in microseconds. */
export type Stretch = { readonly fromMicros: number; readonly toMicros: number };

/** A finding with what the registry says about its clause. */
export type Judgement = Finding & {
  readonly level: Level;
  readonly title: string;
  readonly source: string;
};

export const EXIT = {
  pass: 0,
  fail: 1,
  usage: 2,
  harness: 3,
  inconclusive: 4,
  stale: 5,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The run's verdict: MUSTs only. No MUST judged at all is inconclusive, not passed. */
export const verdictOf = (judgements: readonly Judgement[]): 'pass' | 'fail' | 'inconclusive' => {
  const musts = judgements.filter((judgement) => judgement.level === 'MUST');
  if (musts.some((judgement) => judgement.verdict === 'fail')) return 'fail';
  if (musts.some((judgement) => judgement.verdict === 'inconclusive')) return 'inconclusive';
  return musts.some((judgement) => judgement.verdict === 'pass') ? 'pass' : 'inconclusive';
};
