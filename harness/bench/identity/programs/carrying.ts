/** What the load needs of a connection, whoever the relay between is: whole messages, and word when there is room for more. */
export type Carrying = {
  /** @returns false: wait for `room` */
  send(): boolean;
  room(): Promise<void>;
  close(): void;
};

/** Two ends that a relay has joined. What the first sends is counted at the second. */
export type Joined = {
  readonly from: Carrying;
  readonly to: Carrying;
  /** Bytes of payload that came. */
  readonly counted: () => number;
  /** One message to the other end and back, in ms. */
  roundTrip(): Promise<number>;
};
