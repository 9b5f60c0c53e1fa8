/** Cuts a stream of bytes into frames, however the chunks fall. */
export interface Splitter {
  /**
   * Takes the next bytes.
   * @returns the bodies of the frames they complete. A body inside one chunk is a view of it: copy it if the chunk is used again.
   * @throws PostcardError when the stream cannot go on
   */
  push(chunk: Uint8Array): readonly Uint8Array[];
  /** Says that no more bytes come. @throws PostcardError FrameTruncated inside a frame */
  end(): void;
}
