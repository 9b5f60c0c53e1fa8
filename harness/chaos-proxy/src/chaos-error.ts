/** Every code a ChaosError can carry, with what it means. */
export const CHAOS_ERRORS = {
  FAULT_SYNTAX: 'a fault is not written as kind:key=value,key=value',
  FAULT_UNKNOWN: 'there is no fault of that name',
  ATTRIBUTE_UNKNOWN: 'the fault has no such attribute',
  ATTRIBUTE_MISSING: 'the fault lacks an attribute it cannot do without',
  ATTRIBUTE_VALUE: 'the value does not fit the attribute',
  FAULT_ID_TAKEN: 'a fault with that id is on the link',
  FAULT_ID_UNKNOWN: 'the link never had a fault with that id',
  LINK_STATIC: 'the link was built static: its faults cannot be changed',
  PROFILE_UNKNOWN: 'there is no link profile of that name',
  ADDRESS_SYNTAX: 'an address is not HOST:PORT',
  SEED_SYNTAX: 'a seed is not 1 to 8 hexadecimal digits',
  CONFIG_FILE: 'a file of proxies cannot be read',
  LISTEN_FAILED: 'the listening address cannot be had',
  FLAG_UNKNOWN: 'the command line has no such flag',
  FLAG_MISSING: 'the command line lacks a flag it cannot do without',
} as const;
export type ChaosErrorCode = keyof typeof CHAOS_ERRORS;

/** The proxy was asked for something it cannot do. Match `code`, never the prose. */
export class ChaosError extends Error {
  override readonly name = 'ChaosError';
  readonly code: ChaosErrorCode;
  readonly expected: string;
  readonly got: string;
  readonly hint: string;
  constructor(
    code: ChaosErrorCode,
    details: { readonly expected: string; readonly got: string; readonly hint: string },
  ) {
    super(`${code}: expected ${details.expected}, got ${details.got} - ${details.hint}`);
    this.code = code;
    this.expected = details.expected;
    this.got = details.got;
    this.hint = details.hint;
  }
}
