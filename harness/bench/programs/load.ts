/** The users of a bench. Every clock of a measurement is this process's. */
import { connect, type Socket } from 'node:net';
import { serveRequests } from './requests.ts';
import { DONE, ECHO, PAIRED, transferHeader } from './tunnel-words.ts';

/** Where the users connect to. */
type Target = { readonly port: number };

export type LoadRequest = Target &
  (
    | {
        readonly do: 'transfer';
        readonly connections: number;
        readonly bytes: number;
        readonly block: number;
      }
    | { readonly do: 'connections'; readonly atOnce: number; readonly millis: number }
    | { readonly do: 'arrivals'; readonly perSecond: number; readonly millis: number }
    | { readonly do: 'hold'; readonly tunnels: number }
    | { readonly do: 'release' }
    /** One tunnel that carries so much until `calm`. */
    | { readonly do: 'flood'; readonly bytesPerSecond: number }
    | { readonly do: 'calm' }
    | {
        readonly do: 'pings';
        readonly connections: number;
        readonly pings: number;
        readonly everyMillis: number;
        readonly bytes: number;
      }
  );

/** Pairing: first dial to the last tunnel's first answer. The transfer: from then on to the service's word that all is there. */
export type TransferAnswer = { readonly pairingMillis: number; readonly transferMillis: number };
export type ConnectionsAnswer = {
  readonly perSecond: number;
  readonly failed: number;
  /** Dial to first byte of each, in the order of their ends. */
  readonly firstByteMillis: readonly number[];
};

const dial = (port: number): Socket => connect({ host: '127.0.0.1', port, noDelay: true });

const nextByte = (socket: Socket, expected: number): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once('data', (bytes) => {
      if (bytes[0] === expected) resolve();
      else reject(new Error(`the service said ${bytes[0]}, expected ${expected}`));
    });
    socket.once('close', () => reject(new Error('the tunnel closed early')));
  });

const pump = (socket: Socket, bytes: number, block: Buffer): void => {
  let left = bytes;
  const more = (): void => {
    while (left > 0 && !socket.destroyed) {
      const count = Math.min(left, block.length);
      left -= count;
      if (!socket.write(count === block.length ? block : block.subarray(0, count))) return;
    }
  };
  socket.on('drain', more);
  more();
};

const transfer = async (
  port: number,
  connections: number,
  bytes: number,
  blockBytes: number,
): Promise<TransferAnswer> => {
  const begun = performance.now();
  const share = Math.floor(bytes / connections);
  const sockets = Array.from({ length: connections }, () => dial(port));
  const block = Buffer.alloc(blockBytes, 0x5a);
  try {
    await Promise.all(
      sockets.map((socket) => {
        socket.on('error', () => {});
        socket.write(transferHeader(share));
        return nextByte(socket, PAIRED);
      }),
    );
    const paired = performance.now();
    const done = Promise.all(sockets.map((socket) => nextByte(socket, DONE)));
    for (const socket of sockets) pump(socket, share, block);
    await done;
    return { pairingMillis: paired - begun, transferMillis: performance.now() - paired };
  } finally {
    for (const socket of sockets) socket.destroy();
  }
};

/** Dial, one byte, its echo, close. @returns milliseconds to the first byte */
const visit = (port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const begun = performance.now();
    const socket = dial(port);
    socket.write(Buffer.of(ECHO));
    socket.once('data', () => {
      resolve(performance.now() - begun);
      socket.end();
    });
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('closed without a byte')));
  });

const connections = async (port: number, atOnce: number, millis: number): Promise<ConnectionsAnswer> => {
  const firstByteMillis: number[] = [];
  let failed = 0;
  const begun = performance.now();
  const loop = async (): Promise<void> => {
    while (performance.now() - begun < millis) {
      try {
        firstByteMillis.push(await visit(port));
      } catch {
        failed++;
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, loop));
  const seconds = (performance.now() - begun) / 1000;
  return { perSecond: firstByteMillis.length / seconds, failed, firstByteMillis };
};

/** Users come at a steady rate, however slowly they are served. */
const arrivals = async (port: number, perSecond: number, millis: number): Promise<ConnectionsAnswer> => {
  const firstByteMillis: number[] = [];
  let failed = 0;
  const visits: Promise<void>[] = [];
  const total = Math.round((perSecond * millis) / 1000);
  const begun = performance.now();
  await new Promise<void>((resolve) => {
    const tick = (): void => {
      const due = Math.min(total, ((performance.now() - begun) * perSecond) / 1000);
      while (visits.length < due) {
        visits.push(
          visit(port).then(
            (first) => {
              firstByteMillis.push(first);
            },
            () => {
              failed++;
            },
          ),
        );
      }
      if (visits.length < total) setTimeout(tick, 1);
      else resolve();
    };
    tick();
  });
  await Promise.all(visits);
  return { perSecond, failed, firstByteMillis };
};

const held: Socket[] = [];

/** Opens tunnels that say one byte, hear it and then stay. */
const hold = async (port: number, tunnels: number): Promise<number> => {
  let opened = 0;
  const worker = async (): Promise<void> => {
    while (opened < tunnels) {
      opened++;
      const socket = dial(port);
      socket.on('error', () => {});
      socket.write(Buffer.of(ECHO));
      await nextByte(socket, ECHO);
      held.push(socket);
    }
  };
  await Promise.all(Array.from({ length: 32 }, worker));
  return held.length;
};

const release = (): void => {
  for (const socket of held) socket.destroy();
  held.length = 0;
};

let flooding: Socket | undefined;
let flow: NodeJS.Timeout | undefined;
const FLOOD_BYTES = 2 ** 45;

const flood = async (port: number, bytesPerSecond: number): Promise<void> => {
  const socket = dial(port);
  socket.on('error', () => {});
  socket.write(transferHeader(FLOOD_BYTES));
  await nextByte(socket, PAIRED);
  flooding = socket;
  const begun = performance.now();
  let sent = 0;
  const block = Buffer.alloc(64 * 1024, 0x5a);
  flow = setInterval(() => {
    const due = ((performance.now() - begun) * bytesPerSecond) / 1000;
    for (; sent < due && !socket.writableNeedDrain; sent += block.length) socket.write(block);
  }, 1);
};

const calm = (): void => {
  clearInterval(flow);
  flooding?.destroy();
  flooding = undefined;
};

/** Round trips of single messages, so far apart that none waits for the one before. */
const pings = async (
  port: number,
  count: number,
  perConnection: number,
  everyMillis: number,
  bytes: number,
): Promise<readonly number[]> => {
  const trips: number[] = [];
  const one = async (): Promise<void> => {
    const socket = dial(port);
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const message = Buffer.alloc(bytes, ECHO);
    for (let i = 0; i < perConnection; i++) {
      const begun = performance.now();
      await new Promise<void>((resolve) => {
        let left = bytes;
        const onData = (echo: Buffer): void => {
          left -= echo.length;
          if (left > 0) return;
          socket.off('data', onData);
          resolve();
        };
        socket.on('data', onData);
        socket.write(message);
      });
      trips.push(performance.now() - begun);
      await new Promise((resolve) => setTimeout(resolve, everyMillis));
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: count }, one));
  return trips;
};

serveRequests<LoadRequest>(async (request) => {
  const { port } = request;
  switch (request.do) {
    case 'transfer':
      return transfer(port, request.connections, request.bytes, request.block);
    case 'connections':
      return connections(port, request.atOnce, request.millis);
    case 'arrivals':
      return arrivals(port, request.perSecond, request.millis);
    case 'hold':
      return hold(port, request.tunnels);
    case 'release':
      return release();
    case 'flood':
      return flood(port, request.bytesPerSecond);
    case 'calm':
      return calm();
    case 'pings':
      return pings(port, request.connections, request.pings, request.everyMillis, request.bytes);
  }
});
