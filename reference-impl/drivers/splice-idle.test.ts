import t from 'tap';
import type { Millis } from '../machine/machine.ts';
import { SpliceIdle, type Tunnel } from './splice-idle.ts';

/** A tunnel whose counter the test moves. */
class Counter implements Tunnel {
  count = 0;
  open = true;
  readonly timedOut: Millis[] = [];

  alive(): boolean {
    return this.open;
  }

  moved(): number {
    return this.count;
  }

  timeOut(now: Millis): void {
    this.timedOut.push(now);
  }
}

/** Rings as an alarm would, up to a time. */
const runTo = (idle: SpliceIdle, end: Millis, before: (now: Millis) => void = () => {}): number => {
  let looks = 0;
  for (let due = idle.next(); due !== undefined && due <= end; due = idle.next()) {
    before(due);
    idle.look(due);
    looks++;
  }
  return looks;
};

for (const [idleMillis, at] of [
  [1, 1],
  [3, 3],
  [10, 10],
  [1_000, 1_000],
  [1_003, 1_250],
  [3_600_000, 3_600_000],
] as const) {
  t.test(`silence of ${idleMillis} ms ends a tunnel once, after ${at} ms`, async (t) => {
    const idle = new SpliceIdle();
    const tunnel = new Counter();
    idle.watch(0, idleMillis, tunnel);
    const looks = runTo(idle, 10 * idleMillis);
    t.equal(tunnel.timedOut.length, 1);
    const [when = 0] = tunnel.timedOut;
    t.ok(when >= idleMillis && when <= at, `at ${when}`);
    t.ok(looks <= Math.max(5, idleMillis / 10_000 + 1), `${looks} looks`);
    t.equal(idle.next(), undefined, 'nothing to wait for any more');
  });
}

for (const never of [undefined, 0, Number.NaN, -1]) {
  t.test(`an idle time of ${never} costs nothing`, async (t) => {
    const idle = new SpliceIdle();
    idle.watch(0, never, new Counter());
    t.equal(idle.next(), undefined);
  });
}

t.test('what moves a little lives, and ends after the last move', async (t) => {
  const idle = new SpliceIdle();
  const tunnel = new Counter();
  idle.watch(0, 1_000, tunnel);
  runTo(idle, 60_000, (now) => {
    // one byte every 750 ms until 30 s
    if (now <= 30_000 && now % 750 === 0) tunnel.count++;
  });
  t.equal(tunnel.timedOut.length, 1);
  t.ok((tunnel.timedOut[0] as number) >= 31_000 && (tunnel.timedOut[0] as number) <= 31_250);
});

t.test('a process that slept looks again before it judges', async (t) => {
  const idle = new SpliceIdle();
  const tunnel = new Counter();
  idle.watch(0, 1_000, tunnel);
  idle.look(500_000);
  t.strictSame(tunnel.timedOut, []);
  tunnel.count++;
  runTo(idle, 500_999);
  t.strictSame(tunnel.timedOut, [], 'what waited in the kernel was read meanwhile');
});

t.test('a tunnel that is over is forgotten, others of any idle time go on', async (t) => {
  const idle = new SpliceIdle();
  const tunnels = [40, 400, 4_000, 400].map((idleMillis) => {
    const tunnel = new Counter();
    idle.watch(0, idleMillis, tunnel);
    return tunnel;
  });
  (tunnels[1] as Counter).open = false;
  runTo(idle, 100_000);
  t.strictSame(
    tunnels.map(({ timedOut }) => timedOut),
    [[40], [], [4_000], [400]],
  );
  t.equal(idle.next(), undefined);
});
