/** TEST ONLY: traces written by hand, for numbers that can be checked on paper. */
import type { Happening, TraceEvent } from '../../trace/trace.ts';
import type { Judgement } from '../../verdict/verdict.ts';

/** Lines `[seconds, who, happening]`, numbered per host in the order given. */
export const trace = (lines: readonly (readonly [number, string, Happening])[]): readonly TraceEvent[] => {
  const numbers = new Map<string, number>();
  return lines.map(([seconds, who, happening]) => {
    const n = numbers.get(who) ?? 0;
    numbers.set(who, n + 1);
    return { t: Math.round(seconds * 1e6), who, n, ...happening };
  });
};

export const began: Happening = {
  type: 'run.began',
  scenario: 'hand',
  lab: 'local',
  labReason: 'asked for',
  seed: 'ab',
  version: '0',
  node: '26',
  machine: 'paper',
  rerun: 'npm run scenario hand -- --seed ab',
  target: "relaylab's own relay",
  timeScale: 1,
  plan: '00',
  startedAt: '2026-01-02T03:04:05.000Z',
};
export const ended: Happening = { type: 'run.ended', complete: true, why: '' };

export const site = (name: string, clients: number, nat = 'home', link = 'clean'): Happening => ({
  type: 'site.declared',
  site: name,
  nat,
  natNote: 'a NAT',
  natForm: 'userspace',
  link,
  linkNote: 'a link',
  linkForm: 'userspace',
  clients,
});
export const client = (
  who: string,
  mode: 'pool' | 'event' | 'multiplex' | 'forwarder' = 'pool',
): Happening => ({
  type: 'client.declared',
  client: who,
  site: who.split('/')[0] ?? '',
  mode,
  fleet: mode === 'forwarder' ? '' : 'clients',
});
export const registered: Happening = { type: 'client.registered', port: 10_000, mode: 'pool' };
export const lost = (attempt: number, waitMillis = 0): Happening => ({
  type: 'client.lost',
  why: 'closed',
  waitMillis,
  attempt,
});
export const dialing = (attempt: number): Happening => ({ type: 'client.dialing', attempt });

export const judgement = (over: Partial<Judgement> = {}): Judgement => ({
  clause: 'PORT-REG-1',
  level: 'MUST',
  title: 'a registration gets a port',
  source: 'port-relay',
  verdict: 'pass',
  blame: undefined,
  summary: 'all got a port',
  expected: 'a port',
  got: 'a port',
  exercised: 1,
  broken: 0,
  evidence: [],
  ladder: [],
  ...over,
});
