/** Both ends of everything the identity bench sends, and the crowds beside it. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { bytesOf } from '../../../../reference-impl/identity-relay/public-key.ts';
import { serveRequests } from '../../programs/requests.ts';
import { median } from '../../statistics.ts';
import type { Joined } from './carrying.ts';
import { type AloneAnswer, sealAlone } from './seal-alone.ts';
import { type At, newIdentity, SealedEnd } from './sealed-end.ts';
import { joinSealed, type SealedTunnel } from './sealed-tunnel.ts';
import { dialTls, joinTls } from './tls-end.ts';

/** `relayKey`: base64url; undefined: the relay is TLS. */
type Where = { readonly port: number; readonly relayKey: string | undefined };

export type IdentityRequest = Where &
  (
    | { readonly do: 'shake'; readonly millis: number; readonly atOnce: number }
    /** Joins ends that `send` then uses. */
    | { readonly do: 'join'; readonly tunnels: number; readonly messageBytes: number }
    | { readonly do: 'send'; readonly millis: number; readonly messageBytes: number }
    /** No relay at all: the cryptography of one. */
    | { readonly do: 'seal'; readonly millis: number; readonly messageBytes: number }
    | { readonly do: 'listen'; readonly nodes: number }
    /** A peer that shakes hands with nobody, and a tunnel whose end does not read. */
    | { readonly do: 'hinder' }
    | { readonly do: 'ping'; readonly times: number }
    | { readonly do: 'part' }
  );

export type ShakeAnswer = { readonly handshakes: number; readonly millis: number };
export type SendAnswer = { readonly messages: number; readonly millis: number };

let joined: readonly Joined[] = [];
let others: { close(): void }[] = [];

const at = ({ port, relayKey }: Where): At => {
  const key = relayKey === undefined ? undefined : bytesOf(relayKey);
  if (key === undefined) throw new Error('a relay without a key takes no sealed ends');
  return { port, relayKey: key };
};

const shakeOnce = async (where: Where): Promise<void> => {
  if (where.relayKey === undefined) {
    (await dialTls(where.port)).destroy();
    return;
  }
  const end = new SealedEnd(at(where), newIdentity(), { type: 'listen' });
  await end.ready;
  end.close();
};

const shake = async (where: Where, millis: number, atOnce: number): Promise<ShakeAnswer> => {
  const began = performance.now();
  let handshakes = 0;
  const one = async (): Promise<void> => {
    while (performance.now() - began < millis) {
      await shakeOnce(where);
      handshakes++;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return { handshakes, millis: performance.now() - began };
};

const part = (): void => {
  for (const pair of joined) pair.close();
  for (const other of others) other.close();
  joined = [];
  others = [];
};

const join = async (where: Where, tunnels: number, messageBytes: number): Promise<void> => {
  part();
  if (where.relayKey === undefined) {
    joined = await joinTls(where.port, tunnels, messageBytes);
    return;
  }
  const sealed = await joinSealed(at(where), tunnels, messageBytes);
  joined = sealed.joined;
  others.push(sealed.listener);
};

/**
 * What is sent by the clock is made ready before it and looked at after it, in parts that memory bears: ends that sealed and opened
 * meanwhile would be as busy as the relay, and hold it back. (TLS ends cannot; theirs is the cheaper work.)
 */
const PART_BYTES_MAX = 16 * 1_024 * 1_024;
/** Of a short turn less: to make it ready takes longer than to send it. */
const PART_BYTES_PER_MILLI = 65_536;

const send = async (millis: number, messageBytes: number): Promise<SendAnswer> => {
  const partBytes = Math.min(PART_BYTES_MAX, millis * PART_BYTES_PER_MILLI);
  const each = Math.ceil(partBytes / messageBytes / joined.length);
  let took = 0;
  let messages = 0;
  while (took < millis) {
    for (const pair of joined) pair.prepare(each);
    const began = performance.now();
    await Promise.all(joined.map((pair) => pair.send()));
    took += performance.now() - began;
    for (const pair of joined) pair.check();
    messages += each * joined.length;
  }
  return { messages, millis: took };
};

const listen = async (where: Where, nodes: number): Promise<void> => {
  for (let i = 0; i < nodes; i++) {
    const end = new SealedEnd(at(where), newIdentity(), { type: 'listen' });
    await end.ready;
    others.push(end);
  }
};

const hinder = async (where: Where): Promise<void> => {
  const silent: Socket = connect(where.port, '127.0.0.1');
  silent.on('error', () => {});
  await once(silent, 'connect');
  others.push({ close: () => silent.destroy() });
  const { joined: pair, listener } = await joinSealed(at(where), 1, 65_536);
  const [stalled] = pair as readonly [SealedTunnel];
  stalled.to.pause();
  const message = new Uint8Array(65_536);
  // until it is held back
  while (stalled.from.offer(stalled.from.sealed(message)));
  others.push(listener, stalled);
};

const ping = async (times: number): Promise<number> => {
  const [first] = joined as readonly [Joined];
  const took: number[] = [];
  for (let i = 0; i < times; i++) took.push(await first.roundTrip());
  return median(took);
};

serveRequests<IdentityRequest>(async (request) => {
  switch (request.do) {
    case 'shake':
      return shake(request, request.millis, request.atOnce);
    case 'join':
      return join(request, request.tunnels, request.messageBytes);
    case 'send':
      return send(request.millis, request.messageBytes);
    case 'seal':
      return sealAlone(request.millis, request.messageBytes) satisfies AloneAnswer;
    case 'listen':
      return listen(request, request.nodes);
    case 'hinder':
      return hinder(request);
    case 'ping':
      return ping(request.times);
    case 'part':
      return part();
  }
});
