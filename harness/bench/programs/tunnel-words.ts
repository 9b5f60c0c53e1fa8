/** What users and the service of a bench say to each other through whatever carries them. No side needs a FIN to pass. */

/** First byte of a user that wants everything back, this byte included. */
export const ECHO = 0x45;
/** First byte of a user that sends: 8 bytes of length follow (big-endian), the service answers `PAIRED`, then the bytes come. */
export const TRANSFER = 0x54;
/** One byte of the service: this tunnel stands. */
export const PAIRED = 0x50;
/** One byte of the service: all bytes have come. */
export const DONE = 0x44;
/** Length of what comes before a transfer's bytes. */
export const TRANSFER_HEADER_BYTES = 9;

/** The first nine bytes of a transfer. */
export const transferHeader = (bytes: number): Buffer => {
  const header = Buffer.alloc(TRANSFER_HEADER_BYTES);
  header[0] = TRANSFER;
  header.writeBigUInt64BE(BigInt(bytes), 1);
  return header;
};
