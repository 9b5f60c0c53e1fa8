export type AgentErrorDetails = {
  /** Stable, upper case with underscores; tests match this and never the prose. */
  readonly code: string;
  /** A key of the configuration, an option, a file, an element: where to look. */
  readonly where: string;
  readonly expected: string;
  readonly got: string;
  /** What to try. */
  readonly hint: string;
  readonly cause?: unknown;
};

/** Something a user of the agent can put right: its configuration, a file, an address, a database. Printed as one line. */
export class AgentError extends Error {
  override readonly name: string = 'AgentError';
  readonly code: string;
  readonly where: string;
  readonly expected: string;
  readonly got: string;
  readonly hint: string;

  constructor({ code, where, expected, got, hint, cause }: AgentErrorDetails) {
    super(
      `${where}: expected ${expected}, got ${got}; ${hint} (${code})`,
      cause === undefined ? undefined : { cause },
    );
    this.code = code;
    this.where = where;
    this.expected = expected;
    this.got = got;
    this.hint = hint;
  }
}

/** What went wrong, in one line, for a log or the end of a sentence. */
export const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message || error.name : String(error)).replace(/\s*\n\s*/g, ' ');
