/** One value, two forms: a client and a server see the same through the machine and through the kernel. */
import t from 'tap';
import { whyNoKernel } from '../labs/netns/kernel-here.ts';
import { type Nat, natNote } from './nat.ts';
import { PREFIX, removeNamespacesAtExit, sweepNamespaces } from './parity-namespaces.ts';
import { KernelForm, MachineForm, Rig } from './parity-rig.ts';
import { PRESETS } from './presets.ts';

type Script = {
  readonly claim: string;
  readonly nat: Nat;
  readonly run: (rig: Rig, saw: (what: string) => void) => Promise<void>;
  /** What the ends see in both forms. */
  readonly sees: readonly string[];
  /** Words of one form that stand for another's: an `approximate` row of forms.ts. */
  readonly alike?: Readonly<Record<string, string>>;
};

const IDLE_MILLIS = 1_000;
/** Past the timeout, and past the tick the kernel counts it in. */
const IDLED_MILLIS = 1_500;
const nat = (change: Partial<Nat>): Nat => ({
  ...PRESETS.home,
  idle: { establishedMillis: 60_000, notify: 'silent' },
  ...change,
});

const mapped = async (rig: Rig, saw: (what: string) => void, name: string): Promise<void> => {
  saw(`dial ${await rig.dial(name)}, port ${rig.port(name)}`);
};

const bothWays = async (rig: Rig, saw: (what: string) => void, name: string): Promise<void> => {
  saw(`client ${await rig.say('client', name)}, server ${await rig.say('server', name)}`);
};

const idleScript = (notify: Nat['idle']['notify'], server: string, client: string): Script => ({
  claim: `idle expiry, ${notify}`,
  nat: nat({ idle: { establishedMillis: IDLE_MILLIS, notify } }),
  run: async (rig, saw) => {
    await mapped(rig, saw, 'a');
    await bothWays(rig, saw, 'a');
    await rig.idle(IDLED_MILLIS);
    saw(`then server ${await rig.say('server', 'a', server)}`);
    saw(`then client ${await rig.say('client', 'a', client)}`);
    saw(`server ${await rig.told('server', 'a')}`);
    await mapped(rig, saw, 'b');
  },
  sees: [
    'dial greeted, port kept',
    'client arrives, server arrives',
    `then server ${server}`,
    `then client ${client}`,
    'server not told',
    'dial greeted, port kept',
  ],
});

const exhaustionScript = (exhaustion: Nat['exhaustion'], refused: string): Script => ({
  claim: `exhaustion, ${exhaustion}`,
  nat: nat({ mapping: { kind: 'range', ports: 2 }, exhaustion }),
  run: async (rig, saw) => {
    await mapped(rig, saw, 'a');
    await mapped(rig, saw, 'b');
    saw(`third ${await rig.dial('c', refused)}`);
    saw(`a ${await rig.finish('client', 'a')} ${await rig.finish('server', 'a')}`);
    // A closed connection keeps the kernel's port for another second.
    await rig.idle(1_500);
    if (exhaustion === 'silent') saw(`third at last ${await rig.greeting('c')}`);
    else await mapped(rig, saw, 'd');
    await bothWays(rig, saw, 'b');
  },
  sees: [
    'dial greeted, port of the range',
    'dial greeted, port of the range',
    `third ${refused}`,
    'a finished finished',
    exhaustion === 'silent' ? 'third at last greeted' : 'dial greeted, port of the range',
    'client arrives, server arrives',
  ],
  alike: exhaustion === 'icmp' ? { 'third unreachable': 'third refused' } : {},
});

const forgetScript = (
  kind: 'reboot' | 'expire' | 'readdress',
  notify: Nat['idle']['notify'],
  client: string,
): Script => ({
  claim: `${kind}, ${notify}`,
  nat: nat({ idle: { establishedMillis: 60_000, notify } }),
  run: async (rig, saw) => {
    await mapped(rig, saw, 'a');
    await bothWays(rig, saw, 'a');
    const end = await rig.begin(kind);
    saw((await end()) > 0 ? 'receipt' : 'no receipt');
    saw(`told of it: client ${await rig.told('client', 'a')}, server ${await rig.told('server', 'a')}`);
    saw(`then client ${await rig.say('client', 'a', client)}`);
    saw(`server ${await rig.told('server', 'a')}`);
    await mapped(rig, saw, 'b');
    saw(rig.address('b', 'a'));
    await bothWays(rig, saw, 'b');
  },
  sees: [
    'dial greeted, port kept',
    'client arrives, server arrives',
    'receipt',
    'told of it: client not told, server not told',
    `then client ${client}`,
    'server not told',
    'dial greeted, port kept',
    kind === 'readdress' ? 'new address' : 'same address',
    'client arrives, server arrives',
  ],
});

const SCRIPTS: readonly Script[] = [
  {
    claim: 'half-close and random ports',
    nat: nat({ mapping: { kind: 'random' } }),
    run: async (rig, saw) => {
      await mapped(rig, saw, 'a');
      await bothWays(rig, saw, 'a');
      saw(`client ${await rig.finish('client', 'a')}, then server ${await rig.say('server', 'a')}`);
      saw(`server ${await rig.finish('server', 'a')}`);
    },
    sees: [
      'dial greeted, port another',
      'client arrives, server arrives',
      'client finished, then server arrives',
      'server finished',
    ],
  },
  idleScript('silent', 'silence', 'silence'),
  idleScript('rst', 'reset', 'reset'),
  idleScript('rebind', 'silence', 'reset'),
  exhaustionScript('silent', 'silence'),
  exhaustionScript('rst', 'refused'),
  exhaustionScript('icmp', 'refused'),
  forgetScript('reboot', 'silent', 'silence'),
  forgetScript('reboot', 'rst', 'reset'),
  forgetScript('expire', 'rebind', 'reset'),
  forgetScript('expire', 'silent', 'silence'),
  forgetScript('readdress', 'silent', 'silence'),
  forgetScript('readdress', 'rst', 'reset'),
  {
    claim: 'flap',
    nat: nat({}),
    run: async (rig, saw) => {
      await mapped(rig, saw, 'a');
      const end = await rig.begin('flap');
      saw(`during it client ${await rig.say('client', 'a', 'silence')}`);
      saw((await end()) > 0 ? 'receipt' : 'no receipt');
      saw(`afterwards it ${await rig.heard('client', 'a')}`);
      await bothWays(rig, saw, 'a');
    },
    sees: [
      'dial greeted, port kept',
      'during it client silence',
      'receipt',
      'afterwards it arrives',
      'client arrives, server arrives',
    ],
  },
];

const observe = async (script: Script, rig: Rig): Promise<readonly string[]> => {
  const seen: string[] = [];
  try {
    await rig.open();
    await script.run(rig, (what) => seen.push(script.alike?.[what] ?? what));
  } finally {
    await rig.close();
  }
  return seen;
};

const noKernel = whyNoKernel(PREFIX);
if (noKernel === undefined) {
  sweepNamespaces();
  removeNamespacesAtExit();
}

t.jobs = 4;
for (const [index, script] of SCRIPTS.entries()) {
  const ordinal = index + 1;
  t.test(`${script.claim} (${natNote(script.nat)})`, { timeout: 60_000 }, async (t) => {
    t.jobs = 2;
    t.test('machine', async (t) => {
      t.strictSame(
        await observe(script, new Rig(new MachineForm(script.nat, ordinal), ordinal)),
        script.sees,
      );
    });
    t.test('kernel', { skip: noKernel ?? false }, async (t) => {
      t.strictSame(await observe(script, new Rig(new KernelForm(script.nat, ordinal), ordinal)), script.sees);
    });
  });
}
