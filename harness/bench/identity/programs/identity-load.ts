/** Both ends of everything the identity bench sends, and the crowds beside it. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { bytesOf } from '../../../../reference-impl/identity-relay/public-key.ts';
import { serveRequests } from '../../programs/requests.ts';
import { median } from '../../statistics.ts';
import type { Joined } from './carrying.ts';
import { type At, joinSealed, newIdentity, SealedEnd } from './sealed-end.ts';
import { dialTls, joinTls } from './tls-end.ts';

/** `relayKey`: base64url; undefined: the relay is TLS. */
type Where = { readonly port: number; readonly relayKey: string | undefined };

export type IdentityRequest = Where &
  (
    | { readonly do: 'shake'; readonly millis: number; readonly atOnce: number }
    /** Joins ends that `send` then uses. */
    | { readonly do: 'join'; readonly tunnels: number; readonly messageBytes: number }
    | { readonly do: 'send'; readonly millis: number; readonly messageBytes: number }
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
  for (const { from, to } of joined) {
    from.close();
    to.close();
  }
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

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
/** Messages that one end sends before others have their turn. */
const BURST = 16;

const send = async (millis: number, messageBytes: number): Promise<SendAnswer> => {
  const began = performance.now();
  const before = joined.map(({ counted }) => counted());
  const sent = await Promise.all(
    joined.map(async ({ from }) => {
      let messages = 0;
      while (performance.now() - began < millis) {
        let free = true;
        for (let i = 0; i < BURST && free; i++) {
          free = from.send();
          messages++;
        }
        await (free ? turn() : from.room());
      }
      return messages;
    }),
  );
  const missing = (): boolean =>
    joined.some(({ counted }, i) => counted() - (before[i] as number) < (sent[i] as number) * messageBytes);
  while (missing()) await turn();
  return { messages: sent.reduce((sum, one) => sum + one, 0), millis: performance.now() - began };
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
  const [stalled] = pair as readonly [Joined];
  (stalled.to as SealedEnd).pause();
  // until it is held back
  while (stalled.from.send());
  others.push(listener, stalled.from, stalled.to);
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
