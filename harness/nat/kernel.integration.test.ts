/** What only the kernel form has: every rendering is taken by nft, strays, hairpin, blocks behind a carrier, no conntrack tool. */
import t from 'tap';
import { whyNoKernel } from '../labs/netns/kernel-here.ts';
import { gatewayEvent, gatewayLines, natCounterLines, rulesLine } from './gateway-events.ts';
import type { Nat } from './nat.ts';
import type { Wiring } from './nftables.ts';
import type { Namespaces } from './parity-namespaces.ts';
import {
  makeNamespaces,
  NETWORK,
  PREFIX,
  removeNamespaces,
  removeNamespacesAtExit,
  sweepNamespaces,
} from './parity-namespaces.ts';
import { EndProcess, Shell } from './parity-process.ts';
import { QUIET_MILLIS } from './parity-rig.ts';
import { PRESETS } from './presets.ts';

const noKernel = whyNoKernel(PREFIX);
if (noKernel === undefined) {
  sweepNamespaces();
  removeNamespacesAtExit();
}
const skip = noKernel ?? false;

const WIRING = {
  wan: 'wan0',
  wanAddress: NETWORK.gatewayWan,
  wanPrefix: 24,
  wanGateway: undefined,
  lan: 'lan0',
  tier: 'home',
  subscribers: [] as string[],
  forwards: [],
} as const;

type Bench = {
  readonly shell: Shell;
  readonly namespaces: Namespaces;
  readonly end: (namespace: string) => EndProcess;
};

const onBench = async (ordinal: number, run: (bench: Bench) => Promise<void>): Promise<void> => {
  const namespaces = makeNamespaces(ordinal);
  const shell = new Shell(namespaces.gateway);
  const ends: EndProcess[] = [];
  const end = (namespace: string): EndProcess => {
    const one = new EndProcess(namespace);
    ends.push(one);
    return one;
  };
  try {
    await run({ shell, namespaces, end });
  } finally {
    await Promise.all([shell.stop(), ...ends.map((one) => one.stop())]);
    removeNamespaces(namespaces);
  }
};

const listening = async (end: EndProcess, host: string): Promise<number> => {
  end.tell({ do: 'listen', host });
  return Number((await end.need((event) => event.saw === 'listening', 'server')).text);
};

type Dial = {
  readonly host: string;
  readonly port: number;
  readonly localPort: number;
  readonly quiet?: boolean;
};

/** What the server said first, the error, or silence. */
const dialled = async (end: EndProcess, { quiet, ...to }: Dial): Promise<string> => {
  const name = String(to.localPort);
  end.tell({ do: 'dial', name, ...to });
  const fits = (event: { saw: string; name: string }): boolean =>
    event.name === name && (event.saw === 'data' || event.saw === 'error');
  const event = await end.take(fits, quiet === true ? QUIET_MILLIS : 8_000);
  return event?.text ?? 'silence';
};

/** Every combination of words, at both tiers. */
const everyNat = function* (): Generator<Nat> {
  for (const mapping of [{ kind: 'preserving' }, { kind: 'random' }, { kind: 'range', ports: 4 }] as const)
    for (const notify of ['silent', 'rst', 'rebind'] as const)
      for (const exhaustion of ['silent', 'rst', 'icmp'] as const)
        for (const unsolicited of ['drop', 'reset'] as const)
          for (const depth of [1, 2] as const)
            yield {
              mapping,
              filtering: 'address-and-port-dependent',
              unsolicited,
              idle: { establishedMillis: 5_000, notify },
              exhaustion,
              depth,
              hairpin: depth === 1,
            };
};

t.test('nft takes every rendering', { skip, timeout: 60_000 }, async (t) => {
  await onBench(31, async ({ shell }) => {
    let texts = 0;
    for (const nat of everyNat()) {
      for (const wiring of [
        { ...WIRING, forwards: [{ port: 7_000, toHost: NETWORK.client, toPort: 80 }] },
        { ...WIRING, tier: 'carrier', subscribers: ['100.64.0.2', '100.64.0.3'] },
      ] as const satisfies readonly Wiring[]) {
        await shell.run([rulesLine(nat, wiring)]);
        texts++;
      }
    }
    t.equal(texts, 216);
    t.equal(await shell.run(['nft list tables']), 'table ip lab', 'one table, however often it is replaced');
  });
});

t.test('a stray SYN from outside is dropped or refused', { skip, timeout: 60_000 }, async (t) => {
  await onBench(32, async ({ shell, namespaces, end }) => {
    const outside = end(namespaces.server);
    const at = { host: NETWORK.gatewayWan, port: 7_000 };
    await shell.run(gatewayLines(PRESETS.home, WIRING));
    t.equal(await dialled(outside, { ...at, localPort: 25_001, quiet: true }), 'silence');
    await shell.run(gatewayLines(PRESETS.strict, WIRING));
    t.equal(await dialled(outside, { ...at, localPort: 25_002 }), 'ECONNREFUSED');
    const counters = await shell.run(natCounterLines());
    t.match(counters, /^lost_outer [1-9]/m, 'the counters can be read');
  });
});

t.test(
  'hairpin leads an inner host back in, without it the dial hangs',
  { skip, timeout: 60_000 },
  async (t) => {
    await onBench(33, async ({ shell, namespaces, end }) => {
      const inner = end(namespaces.client);
      const port = await listening(inner, NETWORK.client);
      const wiring = { ...WIRING, forwards: [{ port: 7_000, toHost: NETWORK.client, toPort: port }] };
      const at = { host: NETWORK.gatewayWan, port: 7_000 };
      await shell.run(gatewayLines(PRESETS.home, wiring));
      t.match(await dialled(inner, { ...at, localPort: 25_003 }), `hello ${NETWORK.gatewayLan}:`);
      t.match(
        await dialled(end(namespaces.server), { ...at, localPort: 25_004 }),
        `hello ${NETWORK.server}:25004`,
      );
      await shell.run(gatewayLines(PRESETS.hostile, wiring));
      t.equal(await dialled(inner, { ...at, localPort: 25_005, quiet: true }), 'silence');
    });
  },
);

t.test('behind a carrier each subscriber has its own block', { skip, timeout: 60_000 }, async (t) => {
  await onBench(34, async ({ shell, namespaces, end }) => {
    const port = await listening(end(namespaces.server), NETWORK.server);
    const nat: Nat = { ...PRESETS.cgnat, mapping: { kind: 'range', ports: 2 }, exhaustion: 'rst' };
    const subscribers = ['10.97.1.77', NETWORK.client];
    await shell.run(gatewayLines(nat, { ...WIRING, tier: 'carrier', subscribers }));
    const client = end(namespaces.client);
    const seen: string[] = [];
    for (const localPort of [25_006, 25_007, 25_008]) {
      seen.push(await dialled(client, { host: NETWORK.server, port, localPort }));
    }
    const greetings = [20_002, 20_003].map((one) => `hello ${NETWORK.gatewayWan}:${one}`);
    t.strictSame(seen.slice(0, 2).sort(), greetings, 'the second block');
    t.equal(seen[2], 'ECONNREFUSED', 'and no more than that');
  });
});

t.test('mappings are forgotten without the conntrack tool as well', { skip, timeout: 60_000 }, async (t) => {
  await onBench(35, async ({ shell, namespaces, end }) => {
    const port = await listening(end(namespaces.server), NETWORK.server);
    await shell.run(gatewayLines(PRESETS.strict, WIRING));
    const client = end(namespaces.client);
    t.match(await dialled(client, { host: NETWORK.server, port, localPort: 25_009 }), 'hello');
    const event = gatewayEvent('expire', WIRING);
    // A function of the shell hides the tool from `command -v`.
    await shell.run(['command() { return 1; }', ...event.begin, ...event.end]);
    t.ok(Number(await shell.run(event.receipt)) >= 1, 'receipt');
    client.tell({ do: 'say', name: '25009', text: 'x' });
    const told = await client.need((one) => one.name === '25009' && one.saw === 'error', 'client');
    t.equal(told.text, 'ECONNRESET');
  });
});
