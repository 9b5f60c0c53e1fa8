import type { Socket } from 'node:net';
import type { Millis } from '../machine/machine.ts';

/** Probes without an answer after which the peer counts as dead. */
export const KEEPALIVE_PROBES = 3;
const SECOND = 1_000;

/**
 * TCP keepalive: first probe after `idleMillis` of silence (whole seconds, at least 1), then every third of it; three without an
 * answer and the connection is `closed` with `timeout`, so a dead peer is noticed after about twice `idleMillis`. A peer that
 * answers RST (it forgot the connection) is `reset` at the first probe. Keepalive is silent while sent bytes are not
 * acknowledged: then TCP's own retransmission decides (about 15 minutes on Linux), so watch the peer with messages as well.
 * @param idleMillis 0: off
 */
export const keepAlive = (socket: Socket, idleMillis: Millis): void => {
  if (idleMillis <= 0) {
    socket.setKeepAlive(false);
    return;
  }
  const idle = wholeSeconds(idleMillis);
  socket.setKeepAlive({
    enable: true,
    initialDelay: idle,
    interval: wholeSeconds(idle / KEEPALIVE_PROBES),
    count: KEEPALIVE_PROBES,
  });
};

const wholeSeconds = (millis: Millis): Millis => Math.max(1, Math.round(millis / SECOND)) * SECOND;
