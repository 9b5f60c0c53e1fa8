/** A man in the middle of connections who spoils them: around a correct program he makes a defective one. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Address } from '../../../reference-impl/machine/machine.ts';
import { SpoiledSession } from './spoiled-session.ts';
import type { YamuxDefect } from './yamux-defects.ts';

/** Where one listens: a TCP port, or a Unix socket. */
export type Place = Address | { readonly path: string };

/** One connection and its other half. `near` dialled him, `far` he dialled. */
export type Pair = {
  readonly toNear: (bytes: Buffer) => void;
  readonly toFar: (bytes: Buffer) => void;
  readonly endNear: () => void;
  readonly endFar: () => void;
  /** RST both ways; a Unix socket, which has none, is closed. */
  readonly kill: () => void;
  readonly hold: (side: 'near' | 'far', held: boolean) => void;
};

/** What he does to one connection; absent: what happened on one side happens on the other. */
export type PairTap = {
  /** Nothing is read of `near` before. */
  readonly after?: Promise<unknown>;
  /** It is not passed on at all. */
  readonly dropped?: boolean;
  readonly opened?: () => void;
  readonly fromNear?: (bytes: Buffer) => void;
  readonly fromFar?: (bytes: Buffer) => void;
  readonly nearEnded?: () => void;
  readonly farEnded?: () => void;
  readonly nearLost?: () => void;
  readonly farLost?: () => void;
  /** Nobody takes his own dial. */
  readonly refused?: () => void;
};

export type Spoiler = (pair: Pair) => PairTap;

const write = (to: Socket, from: Socket, bytes: Buffer): void => {
  if (to.destroyed || !to.writable || to.write(bytes)) return;
  from.pause();
  to.once('drain', () => from.resume());
};

const join = (near: Socket, upstream: Place, spoil: Spoiler): void => {
  const reset = (socket: Socket): void => {
    if ('path' in upstream) socket.destroy();
    else if (!socket.destroyed) socket.resetAndDestroy();
  };
  const far = connect({ ...upstream, allowHalfOpen: true });
  const socketOf = { near, far };
  const pair: Pair = {
    toNear: (bytes) => write(near, far, bytes),
    toFar: (bytes) => write(far, near, bytes),
    endNear: () => void near.end(),
    endFar: () => void far.end(),
    kill: () => {
      reset(near);
      reset(far);
    },
    hold: (side, held) => void (held ? socketOf[side].pause() : socketOf[side].resume()),
  };
  const tap = spoil(pair);
  for (const socket of [near, far]) socket.setNoDelay(true);
  near.on('error', () => (tap.nearLost ?? (() => reset(far)))());
  near.on('end', () => (tap.nearEnded ?? pair.endFar)());
  if (tap.dropped === true) {
    far.on('error', () => undefined).destroy();
    near.resume();
    return;
  }
  near.pause();
  let open = false;
  far.on('error', () => {
    if (open) (tap.farLost ?? (() => reset(near)))();
    else (tap.refused ?? (() => reset(near)))();
  });
  far.on('end', () => (tap.farEnded ?? pair.endNear)());
  far.on('data', (bytes: Buffer) => (tap.fromFar ?? pair.toNear)(bytes));
  far.once('connect', () => {
    open = true;
    tap.opened?.();
    void Promise.resolve(tap.after).then(() => {
      near.on('data', (bytes: Buffer) => (tap.fromNear ?? pair.toFar)(bytes));
      near.resume();
    });
  });
};

/**
 * @param listen of the same kind as `upstream`
 * @returns the server that listens there, and its port (0: it has none)
 */
export const openMiddle = async (
  listen: Place,
  upstream: Place,
  spoil: Spoiler,
): Promise<{ readonly port: number; readonly server: Server }> => {
  const server = createServer({ allowHalfOpen: true }, (near) => join(near, upstream, spoil));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ ...listen }, () => resolve());
  });
  const address = server.address();
  return { port: address !== null && typeof address === 'object' ? address.port : 0, server };
};

/** Calls `line` for each line there, until it says that the lines are over; the rest goes to `rest`. */
export const lineByLine = (
  line: (text: string) => 'more' | 'over',
  rest: (bytes: Buffer) => void,
): ((bytes: Buffer) => void) => {
  let held: Buffer = Buffer.alloc(0);
  let over = false;
  return (bytes) => {
    if (over) return rest(bytes);
    held = Buffer.concat([held, bytes]);
    for (let at = held.indexOf(0x0a); at >= 0 && !over; at = held.indexOf(0x0a)) {
      const text = held.subarray(0, at + 1).toString('latin1');
      held = held.subarray(at + 1);
      over = line(text) === 'over';
    }
    if (over && held.length > 0) rest(held);
  };
};

/**
 * The session of a multiplexed registration, spoiled; other registrations pass.
 * @param library which side of him the correct program is
 */
export const spoiledMultiplex =
  ({ spoil }: YamuxDefect, library: 'near' | 'far'): Spoiler =>
  (pair) => {
    const peer = library === 'near' ? 'far' : 'near';
    const to = { near: pair.toNear, far: pair.toFar };
    const session = new SpoiledSession(spoil, {
      toLibrary: to[library],
      toPeer: to[peer],
      kill: pair.kill,
      hold: (held) => pair.hold(peer, held),
    });
    const frames = {
      [library]: (bytes: Buffer) => session.said(bytes),
      [peer]: (bytes: Buffer) => session.heard(bytes),
    } as { readonly near: (bytes: Buffer) => void; readonly far: (bytes: Buffer) => void };
    let multiplexed = false;
    const fromNear = lineByLine(
      (text) => {
        multiplexed = /^multiplex\r?\n$/.test(text);
        pair.toFar(Buffer.from(text, 'latin1'));
        return 'over';
      },
      (bytes) => (multiplexed ? frames.near : pair.toFar)(bytes),
    );
    const fromFar = lineByLine(
      (text) => {
        pair.toNear(Buffer.from(text, 'latin1'));
        return 'over';
      },
      (bytes) => (multiplexed ? frames.far : pair.toNear)(bytes),
    );
    return { fromNear, fromFar };
  };
