/** TEST ONLY: invented judgements that go with `sample-trace.ts`. */
import type { ExitCode, Judgement } from '../../verdict/verdict.ts';
import { EXIT } from '../../verdict/verdict.ts';
import type { SampleOptions } from './sample-trace.ts';

const base: Judgement = {
  clause: 'PORT-REG-1',
  level: 'MUST',
  title: 'A registration line gets a port',
  source: 'port-relay, registration',
  verdict: 'pass',
  blame: undefined,
  summary: 'all 120 registrations got a port',
  expected: 'a port for every registration',
  got: '120 of 120',
  exercised: 120,
  broken: 0,
  evidence: [],
  ladder: [],
};

const PASSED: readonly Partial<Judgement>[] = [
  {},
  {
    clause: 'PORT-POOL-7',
    title: 'A dead pooled connection is not handed out',
    summary: '412 tunnels, none on a dead connection',
  },
  {
    clause: 'PORT-POOL-12',
    title: 'The answer survives a half-close of the user',
    summary: '96 of 96 tunnels kept the answer',
  },
  {
    clause: 'BACKOFF-FIT-1',
    title: 'Waits follow the declared schedule',
    summary: '670 waits inside the envelope',
  },
  {
    clause: 'BACKOFF-HERD-1',
    title: 'A fleet does not return in step',
    summary: '8 % of the fleet in the busiest 100 ms',
  },
  { clause: 'LEDGER-1', title: 'Every payload byte arrives once, in order', summary: 'no byte missing' },
  {
    clause: 'NAT-ADDR-1',
    title: 'A changed public address does not lose a client',
    summary: '20 of 20 clients came back',
  },
  {
    clause: 'SPEED-RATIO-1',
    level: 'SHOULD',
    title: 'Pool mode reaches 0.30 of the direct path',
    summary: '0.42 (0.39 to 0.45)',
  },
  {
    clause: 'YAMUX-WINDOW-3',
    title: 'A window update is sent before the window is used up',
    verdict: 'not-applicable',
    summary: 'the target offers no multiplex mode <&>',
  },
];

const HALF_CLOSE: Partial<Judgement> = {
  clause: 'PORT-POOL-12',
  title: 'The answer survives a half-close of the user',
  verdict: 'fail',
  blame: 'target',
  summary: 'the relay loses the answer whenever a pool user half-closes',
  expected: 'after the user’s FIN the answer still reaches the user, then FIN',
  got: 'FIN to the user 0.4 ms after the user’s own FIN; the answer met an RST <tag> & "quotes"',
  exercised: 18,
  broken: 18,
  evidence: [
    {
      t: 9_131_300,
      who: 'users',
      text: 'the user has said all and ends its half',
      hex: undefined,
      here: false,
    },
    {
      t: 9_131_700,
      who: 'relay',
      text: 'the relay ends the user’s other half, the answer is still to come',
      hex: '46494e0a',
      here: true,
    },
    {
      t: 9_633_400,
      who: 'home/client-03',
      text: 'the answer meets a reset: 65 536 B missing',
      hex: undefined,
      here: false,
    },
  ],
  ladder: [
    { from: 'user', to: 'relay', text: 'request, FIN', t: 9_131_300, kind: 'seen' },
    { from: 'relay', to: 'client', text: 'request, FIN', t: 9_131_500, kind: 'seen' },
    { from: 'relay', to: 'user', text: 'FIN, 0.4 ms later', t: 9_131_700, kind: 'wrong' },
    { from: 'client', to: 'relay', text: 'answer, 65 536 B', t: 9_633_000, kind: 'seen' },
    { from: 'relay', to: 'client', text: 'RST', t: 9_633_400, kind: 'wrong' },
    { from: 'relay', to: 'user', text: 'answer, FIN', t: 9_634_000, kind: 'missing' },
  ],
};

const NO_RECEIPT: Partial<Judgement> = {
  clause: 'NAT-ADDR-1',
  title: 'A changed public address does not lose a client',
  verdict: 'inconclusive',
  blame: 'harness',
  summary: 'the address change left no receipt, so nothing was tested',
  expected: 'a receipt with at least one effect',
  got: 'fault 3: no mapping changed',
  exercised: 0,
  broken: 0,
};

const FAILED: readonly Partial<Judgement>[] = [
  HALF_CLOSE,
  {
    clause: 'PORT-POOL-7',
    title: 'A dead pooled connection is not handed out',
    verdict: 'fail',
    blame: 'target',
    summary: '7 of 412 tunnels were given a connection that was dead',
    expected: 'a pooled connection whose path is gone is never given to a user',
    got: '7 users of site hotel waited 30 s for nothing',
    exercised: 412,
    broken: 7,
    evidence: [
      {
        t: 17_000_000,
        who: 'hotel/client-01',
        text: 'the reset had reached the relay',
        hex: undefined,
        here: true,
      },
    ],
  },
  {
    clause: 'BACKOFF-HERD-1',
    title: 'A fleet does not return in step',
    verdict: 'fail',
    blame: 'target',
    summary: 'every client of the fleet came back in the same 100 ms',
    expected: 'at most 25 % of the fleet in any 100 ms after the relay is ready',
    got: '100 %',
    exercised: 1,
    broken: 1,
  },
  NO_RECEIPT,
  {
    clause: 'SPEED-RATIO-1',
    level: 'SHOULD',
    title: 'Event mode reaches 0.41 of the direct path',
    verdict: 'inconclusive',
    blame: 'environment',
    summary: 'event mode: the interval crosses the goal',
    expected: 'at least 0.41',
    got: '0.39 to 0.43',
  },
];

const OVERRIDES: Readonly<Record<SampleOptions['variant'], readonly Partial<Judgement>[]>> = {
  passed: [],
  failed: FAILED,
  inconclusive: [NO_RECEIPT],
  partial: [],
};

export const sampleJudgements = (variant: SampleOptions['variant']): readonly Judgement[] => {
  const over = new Map(OVERRIDES[variant].map((judgement) => [judgement.clause, judgement]));
  return PASSED.map((judgement) => ({ ...base, ...judgement, ...over.get(judgement.clause ?? base.clause) }));
};

export const SAMPLE_EXIT: Readonly<Record<SampleOptions['variant'], ExitCode>> = {
  passed: EXIT.pass,
  failed: EXIT.fail,
  inconclusive: EXIT.inconclusive,
  partial: EXIT.interrupted,
};
