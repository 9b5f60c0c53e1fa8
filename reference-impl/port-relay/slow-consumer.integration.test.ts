/** A user that stops reading: the service is held back, the relay's memory is bounded, and nothing is lost. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import t from 'tap';
import { Program } from './bin/program.ts';
import { openEvent, openMultiplex, openPool } from './library.ts';
import { eventually, openService, type Peer, patterned, within } from './live.ts';

const MIB = 1 << 20;
const OFFERED_MIB = 256;
const GROWTH_MIB_MAX = 32;
/** What kernels and both sides of the tunnel may hold before the service blocks. */
const ACCEPTED_MIB_MAX = 96;
const OPEN = { pool: openPool, event: openEvent, multiplex: openMultiplex } as const;
const BLOCK = patterned(MIB, 7);

/** Resident memory of a process in MiB. Source: Linux proc_pid_status(5), VmRSS. */
const residentMib = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1024;

/** Writes all of it as fast as it is taken, then ends. `accepted`: MiB taken so far. */
class Pusher {
  accepted = 0;
  readonly #peer: Peer;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  async push(): Promise<void> {
    const { socket } = this.#peer;
    for (; this.accepted < OFFERED_MIB; this.accepted++)
      if (!socket.write(BLOCK)) await once(socket, 'drain');
    socket.end();
  }
}

/** Waits until a number has not changed for a while. @returns it */
const settled = async (what: string, value: () => number): Promise<number> => {
  let last = Number.NaN;
  let same = 0;
  await eventually(
    what,
    () => {
      const now = value();
      same = now === last ? same + 1 : 0;
      last = now;
      return same >= 60;
    },
    30_000,
  );
  return last;
};

const skip = existsSync('/proc/self/status') ? false : 'needs /proc';
for (const mode of ['pool', 'event', 'multiplex'] as const) {
  t.test(`${mode}: a reader that sleeps`, { timeout: 120_000, skip }, async (t) => {
    const relay = await Program.relay();
    const pid = relay.child.pid as number;
    let pusher: Pusher | undefined;
    const service = await openService((peer) => {
      pusher = new Pusher(peer);
      // ended by the test's own failure, if at all
      pusher.push().catch(() => {});
    });
    const client = OPEN[mode]({
      relay: { host: '127.0.0.1', port: relay.port },
      service: { host: '127.0.0.1', port: service.port },
    });
    const port = await within(5_000, 'a port', client.port);
    const before = residentMib(pid);

    const user = connect({ host: '127.0.0.1', port });
    user.pause();
    await once(user, 'connect');
    // a pool's connection is dialled on when its user says something
    user.write('q');
    await eventually('the service pushes', () => (pusher?.accepted ?? 0) > 0);
    const accepted = await settled('the service is held back', () => pusher?.accepted ?? 0);
    t.ok(accepted < ACCEPTED_MIB_MAX, `the service got rid of ${accepted} of ${OFFERED_MIB} MiB`);
    const asleep = residentMib(pid) - before;
    t.ok(asleep < GROWTH_MIB_MAX, `the relay grew by ${asleep.toFixed(1)} MiB while its user slept`);

    const hash = createHash('sha256');
    let received = 0;
    let peak = 0;
    user.on('data', (bytes) => {
      hash.update(bytes);
      received += bytes.length;
    });
    const watch = setInterval(() => {
      peak = Math.max(peak, residentMib(pid) - before);
    }, 20);
    user.resume();
    await within(60_000, 'the end', once(user, 'end'));
    clearInterval(watch);
    t.equal(received, OFFERED_MIB * MIB);
    const wanted = createHash('sha256');
    for (let i = 0; i < OFFERED_MIB; i++) wanted.update(BLOCK);
    t.equal(hash.digest('hex'), wanted.digest('hex'), 'every byte in its place');
    t.comment(`peak growth while it read: ${peak.toFixed(1)} MiB`);
    user.destroy();
    service.server.close();
    await within(15_000, 'the client is closed', client.close());
    relay.kill('SIGTERM');
    t.equal(await relay.exited(), 0);
  });
}
