/** A request that cannot be answered as asked: status and body are Toxiproxy's, `hint` is ours. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** What to try. */
  readonly hint: string | undefined;
  constructor(status: number, message: string, hint?: string) {
    super(message);
    this.status = status;
    this.hint = hint;
  }

  /** The body of the answer: `error` and `status`, which clients read, and `hint` if there is one. */
  toJSON(): { readonly error: string; readonly status: number; readonly hint?: string } {
    const { message, status, hint } = this;
    return { error: message, status, ...(hint === undefined ? {} : { hint }) };
  }
}

/** The errors of Toxiproxy's API, word for word: clients compare them. */
export const API_ERRORS = {
  badBody: (why: string, hint?: string) => new ApiError(400, `bad request body: ${why}`, hint),
  missingField: (field: string) => new ApiError(400, `missing required field: ${field}`),
  invalidStream: (hint: string) =>
    new ApiError(400, 'stream was invalid, can be either upstream or downstream', hint),
  invalidToxicType: (hint: string) => new ApiError(400, 'invalid toxic type', hint),
  proxyNotFound: (hint: string) => new ApiError(404, 'proxy not found', hint),
  toxicNotFound: (hint: string) => new ApiError(404, 'toxic not found', hint),
  proxyExists: () => new ApiError(409, 'proxy already exists'),
  toxicExists: () => new ApiError(409, 'toxic already exists', 'names are unique over both streams'),
  tooLarge: (bytes: number) => new ApiError(413, `request body is larger than ${bytes} bytes`),
  tooMany: (what: string, most: number) => new ApiError(400, `too many ${what}: at most ${most}`),
  listen: (why: string, hint?: string) => new ApiError(500, why, hint),
} as const;

/** The hint of a name that is not there. */
export const didYouMean = (nearest: string | undefined): string =>
  nearest === undefined ? 'there is none yet' : `did you mean '${nearest}'?`;
