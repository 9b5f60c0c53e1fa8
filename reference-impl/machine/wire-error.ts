/** Whose fault it was: theirs (`remote`: they broke the protocol) or ours (`local`: we were used wrongly). */
export type Fault = 'local' | 'remote';

export type WireErrorDetails = {
  /** Stable, upper case with underscores; tests match this and never the prose. */
  readonly code: string;
  readonly fault: Fault;
  /** Byte offset in the stream where it was noticed; undefined when it is not about a byte. */
  readonly at: number | undefined;
  readonly expected: string;
  readonly got: string;
  /** What to try. */
  readonly hint: string;
};

/** An expected kind of failure of a protocol. Broken invariants of our own are asserts, never this. */
export class WireError extends Error {
  override readonly name: string = 'WireError';
  readonly code: string;
  readonly fault: Fault;
  readonly at: number | undefined;
  readonly expected: string;
  readonly got: string;
  readonly hint: string;

  constructor(details: WireErrorDetails) {
    const where = details.at === undefined ? '' : ` at byte ${details.at}`;
    super(`${details.code}${where}: expected ${details.expected}, got ${details.got} - ${details.hint}`);
    this.code = details.code;
    this.fault = details.fault;
    this.at = details.at;
    this.expected = details.expected;
    this.got = details.got;
    this.hint = details.hint;
  }
}
