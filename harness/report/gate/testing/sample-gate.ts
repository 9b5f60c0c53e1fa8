/** TEST ONLY: runs of the gate written by hand. */
import { compared } from '../../../conformance/baseline/baseline.ts';
import { type GateFacts, type GateModel, gateOf } from '../../../conformance/gate.ts';
import type { CaseResult } from '../../../conformance/outcome.ts';
import type { WireEvent } from '../../../conformance/wire/wire-log.ts';

export const FACTS: GateFacts = {
  profile: 'port-relay',
  target: './my-relay {port}',
  seed: '00002a',
  version: '0.1.0',
  node: 'v26.0.0',
  machine: 'linux x64, 2 x paper',
  startedAt: '2026-11-21T10:00:00.000Z',
  millis: 12_345,
  rerun: "relaylab conformance port-relay --exec './my-relay {port}' --seed 00002a",
  paths: ['direct', 'mobile+home'],
  jobs: 8,
  cases: 99,
  capabilities: '',
  baseline: 'relaylab.baseline.json',
};

export const event = (change: Partial<WireEvent>): WireEvent => ({
  ...{ millis: 1.25, conn: 'control', from: 'us', text: 'opened', hex: '', bytes: 0, here: false },
  ...change,
});

const WIRE: readonly WireEvent[] = [
  event({}),
  event({ from: 'note', conn: '', text: 'the user speaks first' }),
  event({ text: 'pool\\nnew\\n', hex: '706f6f6c0a6e65770a', bytes: 9 }),
  event({ from: 'target', text: '04001\\n', hex: '30343030310a', bytes: 65_536, here: true }),
];

export const result = (id: string, change: Partial<CaseResult> = {}): CaseResult => ({
  id: `port-relay/${id}`,
  title: 'a port line is plain decimal',
  clause: 'PORT-CTRL-2',
  level: 'MUST',
  path: 'direct',
  ...{ verdict: 'pass', blame: undefined, closing: 'not judged', expected: '', got: 'as expected' },
  ...{ observations: [], receipts: [], wire: WIRE, millis: 12, strain: undefined },
  rerun: `relaylab conformance port-relay --exec './my-relay {port}' --case port-relay/${id}`,
  ...change,
});

export const FAILED = {
  verdict: 'fail',
  blame: 'target',
  expected: 'a public port as one decimal line',
  got: '"04001"\nmore of it',
} as const;

/** One of every standing, on two paths, and an entry of the baseline that is out of date. */
export const RESULTS: readonly CaseResult[] = [
  result('reg/port-line-pool', FAILED),
  result('reg/port-line-pool', { ...FAILED, path: 'mobile+home', receipts: ['link mobile: delayed 12'] }),
  result('reg/known', FAILED),
  result('reg/healed'),
  result('pool/undecided', {
    ...{ verdict: 'inconclusive', blame: 'environment', got: 'an echo on this machine took 900 ms' },
  }),
  result('pool/should', { ...FAILED, level: 'SHOULD', clause: 'PORT-CTRL-9' }),
  result('event/lacks', { verdict: 'not-applicable', got: 'the target declares that it has no event' }),
  result('event/holds', { observations: ['answered after 3 ms'], path: 'mobile+home' }),
];

const ENTRY = { reason: 'see issue 31', link: '', owner: 'ana', expires: '2027-01-31' };
const BASELINE = [
  { ...ENTRY, case: 'port-relay/reg/known' },
  { ...ENTRY, case: 'port-relay/reg/healed' },
];
const WHOLE = { partial: '', interrupted: false, cut: false };

export const gate = (
  results: readonly CaseResult[] = RESULTS,
  how: Partial<typeof WHOLE> = {},
  facts: Partial<GateFacts> = {},
): GateModel =>
  gateOf({ ...FACTS, ...facts }, results, compared(BASELINE, results, '2026-11-21'), { ...WHOLE, ...how });

/** Everything a hostile target may say. */
export const NASTY = `]]> </script><script>globalThis.broken=1</script> & 'x' | \`\`\` # \\ %0A ::error::\u0000\u001b[31m\ud800 \n--- \n...`;
export const nasty = (): GateModel =>
  gate(
    [
      result('reg/nasty', {
        ...{ ...FAILED, title: NASTY, expected: NASTY, got: NASTY, rerun: NASTY, observations: [NASTY] },
        wire: [event({ text: NASTY, conn: NASTY, here: true })],
      }),
      result('reg/odd', { verdict: 'inconclusive', blame: 'environment', got: NASTY }),
      result('reg/fine', { observations: [NASTY], receipts: [NASTY] }),
    ],
    {},
    { target: NASTY, rerun: NASTY },
  );
