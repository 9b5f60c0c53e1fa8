/** What the load needs of two ends that a relay has joined, whoever the relay is. What the first sends comes to the second. */
export type Joined = {
  /** Makes so many messages ready, off the clock. */
  prepare(messages: number): void;
  /** Sends what is ready; resolves when all of it has come, rejects when an end is closed. */
  send(): Promise<void>;
  /** Looks at what has come, off the clock. @throws Error when it is not what was sent */
  check(): void;
  /** One message to the other end and back, in ms. */
  roundTrip(): Promise<number>;
  close(): void;
};
