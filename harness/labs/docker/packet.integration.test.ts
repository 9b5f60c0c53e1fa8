// Packet-level links against a real engine: what packets really meet. Without an engine it is skipped, with the reason.
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Fault } from 'chaos-proxy';
import t from 'tap';
import { PRESETS, type PresetName } from '../../nat/presets.ts';
import { programFile } from '../program-file.ts';
import type { Site, Topology } from '../topology.ts';
import { DockerGround } from './docker-ground.ts';
import { probeEngine } from './engine.ts';
import { Heard } from './event-wait.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const engine = await probeEngine(10_000);
const options = { skip: engine.ok ? false : engine.reason, timeout: 120_000 };
t.setTimeout(240_000);

const DELAY_MILLIS = 40;
const LOSS = 0.1;
const RATE = 200_000;

const site = (name: string, nat: PresetName, faults: readonly Fault[]): Site => ({
  name,
  nat: { name: nat, value: PRESETS[nat], note: '' },
  link: { name: 'test', faults, note: '' },
  actors: [],
});
const lossy = site('lossy', 'home', [
  { kind: 'latency', ms: DELAY_MILLIS, jitter: 5 },
  { kind: 'lossLike', ratio: LOSS },
]);
const narrow = site('narrow', 'cgnat', [{ kind: 'bandwidth', rate: RATE, scope: 'link' }]);
const topology: Topology = {
  relay: { exec: undefined, limits: {}, defect: undefined },
  sites: [lossy, narrow],
  outside: [],
  keepaliveMillis: 0,
};
const context = {
  seed: 1,
  sink: () => undefined,
  signal: new AbortController().signal,
  progress: () => undefined,
  keep: false,
};

t.test('packets meet the delay, the loss, the rate and the hole they are to meet', options, async (t) => {
  const ground = new DockerGround({
    root: ROOT,
    workFolder: ROOT,
    agent: programFile('./packet-agent', import.meta.url),
    packets: { netem: false },
  });
  t.teardown(() => ground.close());
  await ground.open(topology, context);
  const heard = new Map(['relay', 'lossy', 'narrow'].map((host) => [host, new Heard(ground.channel(host))]));
  const say = (host: string): Heard => heard.get(host) as Heard;
  const port = say('relay').port();
  const bind = ground.bind('relay');
  ground.channel('relay').send({ do: 'start', who: 'relay', actor: { kind: 'sink' }, bind, watch: false });
  const to = { host: ground.address('relay'), port: await port };
  const dial = async (host: string): Promise<void> => {
    const said = say(host).output();
    ground
      .channel(host)
      .send({ do: 'start', who: host, actor: { kind: 'source', to }, bind: ground.bind(host), watch: false });
    t.equal(await said, 'connected', host);
  };
  /** Sends so many bytes and waits until all are answered for. @returns milliseconds */
  const push = async (host: string, bytes: number): Promise<number> => {
    const said = say(host).output();
    ground.channel(host).send({ do: 'tell', who: host, command: { do: 'push', round: 0, bytes } });
    return Number(/^answered after ([\d.]+)$/.exec(await said)?.[1]);
  };
  await Promise.all(['lossy', 'narrow'].map(dial));

  t.match(ground.packetLinks?.form(lossy), /^packet: nft loss \+ vxlan userspace/);
  t.match(ground.packetLinks?.form(narrow), /^packet: tbf/);

  await t.test('every byte takes the delay both ways', async (t) => {
    const round: number[] = [];
    for (let n = 0; n < 15; n++) round.push(await push('lossy', 1));
    const best = Math.min(...round);
    t.ok(best >= 2 * (DELAY_MILLIS - 5) - 2, `no round trip is quicker than the link: ${round.join(', ')}`);
    t.ok(best < 6 * DELAY_MILLIS, `and the quickest is not much slower: ${best} ms`);
    t.comment(`RTT in ms, ${2 * DELAY_MILLIS} declared: ${round.map((one) => one.toFixed(0)).join(' ')}`);
  });

  await t.test('every tenth packet is lost, and none of the bytes', async (t) => {
    await push('lossy', 600_000);
    const seen = await ground.packetCounters('lossy');
    if (seen === undefined) throw new Error('no counters');
    const up = seen.up_lost / seen.up_seen;
    const sigma = Math.sqrt((LOSS * (1 - LOSS)) / seen.up_seen);
    t.ok(seen.up_seen > 400, `packets are of one frame each: ${seen.up_seen}`);
    t.ok(Math.abs(up - LOSS) < 5 * sigma, `${seen.up_lost} of ${seen.up_seen} lost`);
    t.ok(seen.down_lost > 0, `${seen.down_lost} of ${seen.down_seen} lost on the way down`);
    t.comment(`lost up ${seen.up_lost} of ${seen.up_seen}, down ${seen.down_lost} of ${seen.down_seen}`);
  });

  await t.test('bytes come no faster than the rate', async (t) => {
    const bytes = RATE * 3;
    const millis = await push('narrow', bytes);
    const rate = (bytes / millis) * 1000;
    t.ok(rate < RATE * 1.05, `${Math.round(rate)} B/s`);
    t.ok(rate > RATE / 4, `${Math.round(rate)} B/s`);
    t.comment(`rate ${Math.round(rate)} B/s of ${RATE} declared`);
  });

  await t.test('a stall drops packets, which TCP sends again', async (t) => {
    const fault: Fault = { kind: 'stall', onMs: 800 };
    const what = { kind: 'link', fault, forMillis: 800 } as const;
    const stalled = ground.packetLinks?.fault(narrow, { do: 'fault', fault: 1, site: 'narrow', what });
    await pause(100);
    const answered = push('narrow', 1_000);
    const receipt = await stalled;
    t.ok((receipt?.effects ?? 0) > 0, receipt?.text ?? 'no receipt');
    t.match(receipt?.text, /packets dropped .*nothing passed for/);
    t.ok((await answered) > 0, 'the bytes came in the end');
    t.comment(receipt?.text ?? '');
  });

  t.same(await ground.close(), [], 'nothing is left');
});
