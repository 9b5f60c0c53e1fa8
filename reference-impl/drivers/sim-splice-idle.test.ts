import t from 'tap';
import type { Conn, NetOutput } from '../machine/machine.ts';
import { Sim } from './sim.ts';
import { type Does, Script } from './sim-script.ts';

const IDLE = 10_000;
const text = (chars: string): Uint8Array => new TextEncoder().encode(chars);
const listen: NetOutput<string> = { type: 'listen', listener: 1, port: 80, host: undefined };
const send = (conn: Conn, chars: string): NetOutput<string> => ({ type: 'send', conn, bytes: text(chars) });

/**
 * left - middle - right, 2 ms each. The middle splices at 100 ms with an idle time of 10 s, at the latest noticed after 12.5 s.
 * `mux`: right is reached by a stream of a session that the middle holds.
 */
const chain = (kind: 'sockets' | 'stream', idleMillis: number | 'unsaid' = IDLE) => {
  const sim = new Sim({ seed: 1 });
  const middle = new Script((input) => (input.type === 'start' ? [listen] : undefined));
  const right = new Script((input) => {
    if (input.type === 'start') return [listen];
    if (input.type === 'accepted' && kind === 'stream')
      return [{ type: 'mux', conn: input.conn, role: 'server', early: undefined }];
    return undefined;
  });
  const left = new Script();
  const link = { latencyMillis: 1, bytesPerMillis: Number.POSITIVE_INFINITY };
  sim.add('left', left, { link });
  sim.add('middle', middle, { link });
  sim.add('right', right, { link });
  sim.run(0);
  const does = (host: string, ...outputs: Does): void => sim.tell(host, outputs);
  does('left', { type: 'connect', conn: 0, to: { host: 'middle', port: 80 }, from: undefined });
  sim.name();
  const dial = sim.name();
  does('middle', { type: 'connect', conn: dial, to: { host: 'right', port: 80 }, from: undefined });
  sim.run(100);
  let inner = dial;
  if (kind === 'stream') {
    inner = sim.name();
    does(
      'middle',
      { type: 'mux', conn: dial, role: 'client', early: undefined },
      { type: 'open', conn: inner, session: dial },
    );
  }
  const splice: NetOutput<string> = { type: 'splice', a: 1, b: inner };
  does('middle', idleMillis === 'unsaid' ? splice : { ...splice, idleMillis });
  sim.run(200);
  const rightConn = kind === 'stream' ? right.heard.flatMap(({ input }) => streamOf(input))[0] : 3;
  const closed = (script: Script) =>
    script.heard.flatMap(({ at, input }) =>
      input.type === 'closed' ? [{ at, conn: input.conn, why: input.why }] : [],
    );
  return { sim, left, middle, right, does, closed, inner, rightConn: rightConn as Conn };
};
const streamOf = (input: { readonly type: string }): readonly Conn[] =>
  input.type === 'stream' && 'conn' in input ? [input.conn as Conn] : [];

for (const kind of ['sockets', 'stream'] as const) {
  t.test(`${kind}: silence resets both ends, whose closed says timeout`, async (t) => {
    const { sim, left, middle, right, closed, inner, rightConn } = chain(kind);
    sim.run(100 + IDLE - 1);
    t.strictSame(closed(middle), [], 'not a moment too early');
    sim.run(60_000);
    const found = closed(middle);
    t.strictSame(new Set(found.map(({ conn }) => conn)), new Set([1, inner]));
    t.ok(found.every(({ why }) => why === 'timeout'));
    const at = found[0]?.at ?? 0;
    t.ok(at >= 100 + IDLE && at <= 100 + 1.25 * IDLE, `at ${at}`);
    t.match(closed(left), [{ conn: 0, why: 'reset' }]);
    t.match(closed(right), [{ conn: rightConn, why: 'reset' }]);
    t.equal(sim.audit('middle').conns, kind === 'stream' ? 1 : 0, 'a session outlives its streams');
    t.equal(sim.audit('middle').streams, 0);
  });

  t.test(`${kind}: a byte a second keeps a tunnel, either way, half closed or not`, async (t) => {
    for (const [who, conn] of [
      ['left', 0],
      ['right', undefined],
    ] as const) {
      for (const half of [false, true]) {
        const { sim, middle, does, closed, rightConn } = chain(kind);
        const speaker = conn ?? rightConn;
        if (half)
          does(who === 'left' ? 'right' : 'left', { type: 'end', conn: who === 'left' ? rightConn : 0 });
        for (let at = 1_000; at <= 60_000; at += 1_000) sim.at(at, () => does(who, send(speaker, '.')));
        sim.run(60_000 + IDLE - 1);
        t.strictSame(closed(middle), [], `${who} speaks, half closed: ${half}`);
        sim.run(60_000 + 1.25 * IDLE + 10);
        t.strictSame(
          closed(middle).map(({ why }) => why),
          ['timeout', 'timeout'],
        );
      }
    }
  });

  t.test(`${kind}: half closed and silent is ended as well`, async (t) => {
    const { sim, middle, left, does, closed } = chain(kind);
    sim.at(5_000, () => does('left', { type: 'end', conn: 0 }));
    sim.run(5_000 + IDLE);
    t.strictSame(closed(middle), [], 'an end is a sign of life');
    sim.run(5_000 + 1.25 * IDLE + 10);
    t.strictSame(
      closed(middle).map(({ why }) => why),
      ['timeout', 'timeout'],
    );
    t.match(closed(left), [{ why: 'reset' }]);
  });

  t.test(`${kind}: a reader that stopped is silence too, and what is over is left alone`, async (t) => {
    const { sim, middle, does, closed, rightConn } = chain(kind);
    does('right', { type: 'pause', conn: rightConn });
    for (let i = 0; i < 200; i++) does('left', { type: 'send', conn: 0, bytes: new Uint8Array(10_000) });
    sim.run(200 + 1.25 * IDLE + 100);
    t.strictSame(
      closed(middle).map(({ why }) => why),
      ['timeout', 'timeout'],
    );

    const over = chain(kind);
    over.does('left', { type: 'end', conn: 0 });
    over.does('right', { type: 'end', conn: over.rightConn });
    over.sim.run(60_000);
    t.strictSame(
      over.closed(over.middle).map(({ why }) => why),
      ['end', 'end'],
    );
  });

  t.test(`${kind}: without an idle time silence is no matter`, async (t) => {
    for (const never of ['unsaid', 0] as const) {
      const { sim, middle, closed } = chain(kind, never);
      sim.run(100_000_000);
      t.strictSame(closed(middle), []);
    }
  });
}
