import type { Client, Connection, Submittable } from 'pg';

const COPY_DATA = 0x64;
const COPY_DONE = Buffer.of(0x63, 0, 0, 0, 4);

/** What `pg` calls on a query while it runs; its types know only `submit`. */
type Running = Submittable & {
  readonly handleCopyInResponse: (connection: Connection) => void;
  readonly handleCommandComplete: (message: { readonly text: string }) => void;
  readonly handleError: (error: Error) => void;
  readonly handleReadyForQuery: () => void;
};

const copyData = (stream: Connection['stream'], data: Uint8Array): void => {
  const head = Buffer.allocUnsafe(5);
  head[0] = COPY_DATA;
  head.writeInt32BE(4 + data.length, 1);
  stream.write(head);
  stream.write(data);
};

/**
 * Runs a `COPY ... FROM STDIN` with these bytes as its data (text format, whole rows). All are handed to the socket at once and
 * without a copy: the caller bounds them, and must not change them until this ends.
 * @returns how many rows PostgreSQL took @throws what PostgreSQL or the connection said
 */
export const copyIn = (client: Client, sql: string, data: readonly Uint8Array[]): Promise<number> => {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let rows = 0;
  const query: Running = {
    submit: (connection) => connection.query(sql),
    handleCopyInResponse: ({ stream }) => {
      stream.cork();
      for (const piece of data) copyData(stream, piece);
      stream.write(COPY_DONE);
      stream.uncork();
    },
    handleCommandComplete: ({ text }) => {
      rows = Number(/^COPY (\d+)/.exec(text)?.[1] ?? 0);
    },
    handleError: reject,
    handleReadyForQuery: () => resolve(rows),
  };
  client.query(query);
  return promise;
};
