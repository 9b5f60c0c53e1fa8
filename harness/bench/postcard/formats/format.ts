/** One way to turn values of one kind into bytes and back, used as its library's documents say is fastest. */
export type Format<Value> = {
  /** As tables and pages call it. */
  readonly name: string;
  /** The npm package whose version is told. */
  readonly library: string;
  /** Ours. */
  readonly own: boolean;
  /** The value in the form this library takes; made once, outside what is timed. */
  from(value: Value): unknown;
  /** Bytes of the value; they may lie in memory that a later call uses again. */
  encode(native: never): Uint8Array;
  decode(bytes: Uint8Array): unknown;
  /** The value again, so that it can be checked before anything is timed. */
  to(decoded: never): Value;
};

/** A value that is taken and given as it is. */
export const asIs = <Value>() => ({
  from: (value: Value): unknown => value,
  to: (value: never): Value => value,
});
