import type { Clause } from './clause.ts';

const OURS = 'relaylab rulings, "Verdicts"';

/** What the lab itself asks of a run: that bytes are accounted for, that clients come back well, that faults are proved. */
export const LAB_CLAUSES: readonly Clause[] = [
  {
    id: 'LEDGER-1',
    level: 'MUST',
    title: 'no byte is lost',
    requires:
      'Every byte sent through a tunnel arrives, except the end of one that a receipted fault or an abort cut.',
    source: `${OURS}: a hole, or any loss without such a cut, fails`,
    wire: 'position-coded payload: each 8 bytes say tunnel, direction and offset',
    breaks: ['sockets destroyed before they are flushed', 'hashicorp/yamux#86'],
  },
  {
    id: 'LEDGER-2',
    level: 'MUST',
    title: 'no byte is repeated, reordered or foreign',
    requires: 'Whatever arrives is what was sent, in its order, in its own tunnel.',
    source: `${OURS}: a hole, repeat, reorder or foreign byte fails`,
    wire: 'position-coded payload: each 8 bytes say tunnel, direction and offset',
    breaks: ['a reused buffer that is written before it is sent', 'streams mixed up after a reset'],
  },
  {
    id: 'BACKOFF-1',
    level: 'MUST',
    title: 'waits keep the declared schedule',
    requires:
      'Each wait before an attempt lies within ((1 - jitter) x step, step], step = min(cap, base x factor^attempt).',
    source: 'the schedule that the client declares',
    wire: 'client.lost -> client.dialing of the same client',
    breaks: ['jitter added on top of the cap', 'rathole-org/rathole (capped at retry_interval)'],
  },
  {
    id: 'BACKOFF-2',
    level: 'MUST',
    title: 'only a healthy connection resets the count',
    requires:
      'The count of attempts starts again only after a registration that lived at least the healthy time.',
    source: 'the schedule that the client declares',
    wire: 'client.lost: attempt 0 after a healthy registration, else one more than before',
    breaks: ['reset on TCP connect, so a relay that accepts and drops is hammered'],
  },
  {
    id: 'BACK-1',
    level: 'MUST',
    title: 'everybody comes back',
    requires:
      'Every client that lost its path is registered again within the cap of its schedule and the time to notice.',
    source: `${OURS}; the relay takes registrations whenever it is there`,
    wire: 'client.lost -> client.registered',
    breaks: ['a stale registration blocks the return (fatedier/frp#3493, ekzhang/bore#147)'],
  },
  {
    id: 'HERD-1',
    level: 'MUST',
    title: 'a fleet does not come back as a herd',
    requires:
      'After the relay is ready again, no 100 ms hold a larger share of the fleet than the declared schedule makes likely (99.9th percentile of a simulation).',
    source: `${OURS}, "Herd": judged at 50 clients or more that declare jitter`,
    wire: 'attempts per sliding 100 ms',
    breaks: ['no jitter (gravitational/teleport#6889, envoyproxy/envoy#45683)'],
  },
  {
    id: 'PLAN-1',
    level: 'MUST',
    title: 'the timeline was carried out',
    requires: 'Every step of the timeline that shows something had its turn and found whom it acts on.',
    source: `${OURS}: what a run did not exercise is never passed`,
    wire: 'step.unmet: none',
    breaks: ['a misspelt name in what a step waits for', 'a probe to a client that never registered'],
  },
  {
    id: 'FAULT-1',
    level: 'MUST',
    title: 'every fault left a receipt',
    requires: 'Each fault of the timeline proves by numbers that it happened.',
    source: `${OURS}: a fault without a receipt makes a check inconclusive, never passed`,
    wire: 'fault.receipt with effects > 0',
    breaks: ['a NAT mapping flushed and silently made again (loose conntrack)'],
  },
  {
    id: 'AUDIT-FD-1',
    level: 'MUST',
    title: 'descriptors are given back',
    requires:
      'With the same clients registered and no tunnel open, the relay holds as many descriptors at the end as at the start.',
    source: `${OURS}: audits gate after a settle time`,
    wire: '/proc/<pid>/fd',
    breaks: ['rathole-org/rathole#367', 'fatedier/frp#5425'],
  },
  {
    id: 'AUDIT-PORT-1',
    level: 'MUST',
    title: 'ports are given back',
    requires:
      'At the end the relay listens on as many ports as there are registrations, and its control port.',
    source: `${OURS}: audits gate after a settle time`,
    wire: '/proc/<pid>/net/tcp, state 0A',
    breaks: ['localtunnel/server#43'],
  },
  {
    id: 'AUDIT-RSS-1',
    level: 'MUST',
    title: 'memory does not grow without end',
    requires: 'Resident memory does not rise steadily over the rounds of a run.',
    source: `${OURS}: memory fails only on a steady slope over at least five rounds beyond a declared bound`,
    wire: '/proc/<pid>/statm',
    breaks: ['registrations kept after their end'],
  },
  {
    id: 'SPEED-RATIO-1',
    level: 'SHOULD',
    title: 'a tunnel keeps a fair share of the direct path',
    requires:
      'The throughput of each mode reaches the goal as a share of the same path without the relay, in the same rounds.',
    source: `${OURS}: a speed goal is an observation`,
    wire: 'rate.sample, rounds interleaved',
    breaks: ['a copy for every layer', 'a window smaller than the path'],
  },
];
