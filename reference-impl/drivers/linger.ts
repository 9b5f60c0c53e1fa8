/**
 * Bounds of `close`: how long and how much of what still comes is read and dropped after our FIN. When either is used up the
 * connection is torn down (the peer may see RST then) and `closed` says `end`: we had finished in order.
 */
export const LINGER_MILLIS = 5_000;
/** @see LINGER_MILLIS */
export const LINGER_BYTES = 4 * 1024 * 1024;
