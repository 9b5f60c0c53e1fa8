/**
 * TEST ONLY: makes well-formed traces with invented happenings, so that renderers have something to draw. No figure of it is
 * a measurement; nothing outside tests may import this file.
 */
import { backoffWait, DEFAULT_SCHEDULE } from '../../../reference-impl/backoff/schedule.ts';
import { type Rng, rngFor } from '../../../reference-impl/machine/rng.ts';
import type { Happening, TraceEvent, TransferMode } from '../../trace/trace.ts';

export type SampleOptions = {
  readonly variant: 'passed' | 'failed' | 'inconclusive' | 'partial';
  readonly sites: number;
  readonly perSite: number;
  readonly users: boolean;
  readonly lab: 'local' | 'sim';
};

export const SAMPLE: SampleOptions = { variant: 'passed', sites: 6, perSite: 20, users: true, lab: 'local' };

const SECOND = 1_000_000;
const END = 60 * SECOND;
const NATS = ['home', 'cgnat', 'strict', 'home', 'hostile', 'rfc5382'];
const LINKS = ['clean', 'mobile', 'slow', 'lossy', 'stalling', 'clean'];
const NAMES = ['home', 'phone', 'cabin', 'train', 'hotel', 'plant'];
const NAT_NOTES: Readonly<Record<string, string>> = {
  home: 'ports kept, idle 300 s',
  cgnat: 'two deep, 64 ports',
  strict: 'one peer each',
  hostile: 'idle 5 s, silent',
  rfc5382: 'idle 124 min',
};
const LINK_NOTES: Readonly<Record<string, string>> = {
  clean: '1 ms',
  mobile: '60 ± 25 ms, 12 Mbit/s',
  slow: '240 ms, 2 Mbit/s',
  lossy: '2 % loss-like, 40 ms',
  stalling: 'stalls 3 s of 20 s',
};
const MODES: readonly TransferMode[] = ['pool', 'event', 'multiplex'];
const OUTAGE = [31 * SECOND, 35 * SECOND] as const;

type Client = { readonly who: string; readonly site: string; readonly mode: TransferMode; readonly rng: Rng };

/** Collects lines, numbers them per host and sorts them by time. */
class Pen {
  readonly lines: { t: number; who: string; happening: Happening }[] = [];

  at(t: number, who: string, happening: Happening): void {
    this.lines.push({ t: Math.round(t), who, happening });
  }

  events(): readonly TraceEvent[] {
    const numbers = new Map<string, number>();
    return this.lines
      .sort((a, b) => a.t - b.t)
      .map(({ t, who, happening }) => {
        const n = numbers.get(who) ?? 0;
        numbers.set(who, n + 1);
        return { t, who, n, ...happening };
      });
  }
}

const declare = (pen: Pen, options: SampleOptions): readonly Client[] => {
  pen.at(0, 'run', {
    type: 'run.began',
    scenario: 'nat-pool',
    lab: options.lab,
    labReason: options.lab === 'sim' ? 'asked for' : 'no Docker engine answers',
    seed: '7f3a91',
    version: '0.0.0 sample',
    node: '26.10.0',
    machine: 'an invented machine of the tests',
    rerun: `npm run scenario nat-pool -- --lab ${options.lab} --relay-exec './my-relay {port}' --seed 7f3a91`,
    target: options.variant === 'failed' ? './my-relay {port}' : "relaylab's own relay",
    timeScale: 1,
    plan: '0123456789abcdef',
    startedAt: '1970-01-01T00:00:00.000Z',
  });
  const { baseMillis, factor, capMillis, jitter, healthyMillis } = { ...DEFAULT_SCHEDULE, capMillis: 4_000 };
  const size = options.sites * options.perSite;
  pen.at(0, 'run', {
    type: 'schedule.declared',
    fleet: 'clients',
    size,
    baseMillis,
    factor,
    capMillis,
    jitter,
    healthyMillis,
  });
  pen.at(0, 'run', { type: 'goal.declared', goal: 'herd-share', value: 0.25 });
  pen.at(0, 'run', { type: 'goal.declared', goal: 'throughput-ratio/pool', value: 0.3 });
  pen.at(0, 'run', { type: 'goal.declared', goal: 'throughput-ratio/event', value: 0.41 });
  const clients: Client[] = [];
  for (let s = 0; s < options.sites; s++) {
    const nat = NATS[s % NATS.length] ?? 'home';
    const link = LINKS[s % LINKS.length] ?? 'clean';
    const site = options.sites <= NAMES.length ? (NAMES[s] ?? 'home') : `${NAMES[s % NAMES.length]}-${s}`;
    const form = options.lab === 'sim' ? 'machine' : 'userspace';
    pen.at(0, 'run', {
      type: 'site.declared',
      site,
      nat,
      natNote: NAT_NOTES[nat] ?? '',
      natForm: form,
      link,
      linkNote: LINK_NOTES[link] ?? '',
      linkForm: form,
      clients: options.perSite,
    });
    for (let c = 0; c < options.perSite; c++) {
      const who = `${site}/client-${String(c).padStart(2, '0')}`;
      const mode = MODES[Math.floor((c * 3) / options.perSite)] ?? 'pool';
      pen.at(0, 'run', { type: 'client.declared', client: who, site, mode, fleet: 'clients' });
      clients.push({ who, site, mode, rng: rngFor(7, who) });
    }
  }
  for (const [name, t] of [
    ['warm-up', 0],
    ['steady traffic', 6],
    ['throughput', 46],
  ] as const)
    pen.at(t * SECOND, 'run', { type: 'run.phase', name });
  return clients;
};

type Break = { readonly t: number; readonly noticed: number; readonly from: number };

/** One client's life: it registers, loses its path at each break and comes back by its schedule. */
const live = (pen: Pen, client: Client, index: number, breaks: readonly Break[], noJitter: boolean): void => {
  const schedule = { ...DEFAULT_SCHEDULE, capMillis: 4_000, jitter: noJitter ? 0 : DEFAULT_SCHEDULE.jitter };
  let t = client.rng.below(3 * SECOND) + 300_000;
  pen.at(t, client.who, { type: 'client.dialing', attempt: 0 });
  t += 5_000;
  pen.at(t, client.who, { type: 'client.registered', port: 10_000 + index, mode: client.mode });
  for (const { noticed, from } of breaks) {
    if (noticed < t) continue;
    let attempt = 0;
    t = noticed;
    for (;;) {
      const wait = backoffWait(schedule, attempt, client.rng);
      pen.at(t, client.who, {
        type: 'client.lost',
        why: attempt === 0 ? 'closed' : 'refused',
        waitMillis: wait,
        attempt,
      });
      t += wait * 1_000;
      attempt++;
      pen.at(t, client.who, { type: 'client.dialing', attempt });
      t += 2_000 + client.rng.below(3_000);
      if (t < from) continue;
      pen.at(t, client.who, { type: 'client.registered', port: 10_000 + index, mode: client.mode });
      break;
    }
  }
};

const fault = (
  pen: Pen,
  n: number,
  t: number,
  site: string,
  kind: string,
  text: string,
  receipt: string,
): void => {
  pen.at(t, 'run', { type: 'fault.begun', fault: n, kind, site, text });
  const effects = receipt === '' ? 0 : 20;
  const what = receipt === '' ? 'no mapping changed: nothing was tested' : receipt;
  pen.at(t + 1_000, 'run', { type: 'fault.receipt', fault: n, kind, site, effects, text: what });
};

/** Users' tunnels and their ledger; the failing relay loses the answer of some half-closed pool tunnels. */
const users = (pen: Pen, clients: readonly Client[], failing: boolean, end: number): void => {
  const rng = rngFor(11, 'users');
  let t = 5 * SECOND;
  for (let tunnel = 1; t < 45 * SECOND && t < end; tunnel++) {
    t += 20_000 + rng.below(45_000);
    const client = clients[rng.below(clients.length)];
    if (client === undefined || (t > OUTAGE[0] - 900_000 && t < OUTAGE[1] + 4 * SECOND)) continue;
    const close = (['half', 'full', 'half', 'abort'] as const)[tunnel % 4] ?? 'half';
    const up = 32 + rng.below(20_000);
    const down = rng.below(400_000);
    const { mode } = client;
    const opened = { type: 'tunnel.opened', tunnel, mode, client: client.who, up, down, close } as const;
    const service = `${client.site}/service`;
    const first = t + 3_000 + rng.below(9_000) * (1 + rng.below(5));
    const done = first + 200_000 + rng.below(700_000);
    const loses = failing && mode === 'pool' && close === 'half' && tunnel % 3 === 0;
    pen.at(t, 'users', { ...opened, side: 'user' });
    pen.at(t + 900, 'users', { type: 'tunnel.connected', tunnel });
    pen.at(t + 2_500, service, { ...opened, side: 'service' });
    pen.at(first, 'users', { type: 'tunnel.firstByte', tunnel, side: 'user' });
    const abort = close === 'abort';
    const got = loses ? 0 : abort ? Math.floor(down / 2) : down;
    const end_ = { type: 'tunnel.done', tunnel } as const;
    pen.at(done, 'users', {
      ...end_,
      side: 'user',
      sent: up,
      received: got,
      sentEnd: abort ? 'rst' : 'fin',
      gotEnd: abort ? 'none' : 'fin',
    });
    pen.at(done + 900, service, {
      ...end_,
      side: 'service',
      sent: down,
      received: up,
      sentEnd: abort ? 'none' : 'fin',
      gotEnd: abort ? 'rst' : 'fin',
    });
  }
};

const throughput = (pen: Pen): void => {
  const rng = rngFor(13, 'rates');
  for (let round = 0; round < 12; round++) {
    const t = (47 + round) * SECOND;
    const share = { direct: 1, pool: 0.42, event: 0.41, multiplex: 0.36 };
    for (const path of ['direct', 'pool', 'event', 'multiplex'] as const) {
      const micros = Math.round(10_000 / share[path] / (0.93 + rng.unit() * 0.14));
      pen.at(t + 900_000, path === 'direct' ? 'sink' : 'users', {
        type: 'rate.sample',
        path,
        round,
        bytes: 8_000_000,
        micros,
      });
    }
  }
};

/** A whole invented run. The same options give the same trace on every machine. */
export const sampleTrace = (options: SampleOptions): readonly TraceEvent[] => {
  const pen = new Pen();
  const clients = declare(pen, options);
  const sites = [...new Set(clients.map((client) => client.site))];
  const site = (index: number): string => sites[index % sites.length] ?? 'home';
  const end = options.variant === 'partial' ? 33 * SECOND : END;
  fault(pen, 1, 10 * SECOND, site(3), 'reboot', 'NAT reboots', '20 mappings gone, 0 RST');
  pen.at(10 * SECOND + 500, `${site(3)}/nat`, {
    type: 'nat.dropped',
    mappings: options.perSite,
    cause: 'reboot',
  });
  fault(pen, 2, 16.2 * SECOND, site(4), 'expire', 'idle mappings expire', '9 expired, silent');
  const unproved = options.variant === 'inconclusive' || options.variant === 'failed';
  fault(
    pen,
    3,
    21.5 * SECOND,
    site(1),
    'readdress',
    'public address changes',
    unproved ? '' : '20 paths moved',
  );
  fault(pen, 4, OUTAGE[0], '', 'outage', 'relay killed', 'process ended, process ready again');
  pen.at(OUTAGE[0] + 100, 'relay', { type: 'host.crashed', reason: 'SIGKILL' });
  pen.at(OUTAGE[1], 'relay', { type: 'host.ready', port: 9_000 });
  pen.at(OUTAGE[1], 'run', { type: 'fault.ended', fault: 4, kind: 'outage', site: '' });
  clients.forEach((client, index) => {
    const breaks: Break[] = [];
    const soon = (micros: number): number => client.rng.below(micros);
    if (client.site === site(3))
      breaks.push({ t: 10 * SECOND, noticed: 10.1 * SECOND + soon(1_800_000), from: 10.6 * SECOND });
    if (client.site === site(4) && index % 2 === 0) {
      pen.at(16.2 * SECOND + 400, `${client.site}/nat`, {
        type: 'nat.expired',
        conn: index,
        idleMillis: 5_000,
      });
      breaks.push({ t: 16.2 * SECOND, noticed: 16.4 * SECOND + soon(2_500_000), from: 16.6 * SECOND });
    }
    breaks.push({ t: OUTAGE[0], noticed: OUTAGE[0] + 200 + soon(9_000), from: OUTAGE[1] });
    live(pen, client, index, breaks, options.variant === 'failed');
  });
  if (options.users) users(pen, clients, options.variant === 'failed', end);
  if (options.lab !== 'sim' && options.variant !== 'partial') throughput(pen);
  const books = { type: 'audit.relay', fds: 31, sockets: 12, listening: 1, rssBytes: 74_600_000 } as const;
  pen.at(4 * SECOND, 'run', { ...books, moment: 'before' });
  pen.at(30 * SECOND, 'run', { ...books, moment: 'sample', fds: 512, rssBytes: 96_200_000 });
  pen.at(END - 100_000, 'run', { ...books, moment: 'after' });
  const complete = options.variant !== 'partial';
  const events = pen.events().filter((event) => event.t < end);
  const last = events.at(-1);
  const why = complete ? '' : 'Ctrl-C at 33.0 s';
  return [...events, { t: end, who: 'run', n: (last?.n ?? 0) + 1_000_000, type: 'run.ended', complete, why }];
};
