/** TEST ONLY: runs written by hand, a line an event, and what the checks say of them. */
import type { CloseKind, Happening, TraceEvent, TransferMode } from '../../trace/trace.ts';
import type { Judgement } from '../../verdict/verdict.ts';
import type { CheckName } from '../checks/registry.ts';
import { Judge } from '../judge.ts';

/** `[seconds, who, happening]`. */
export type Line = readonly [seconds: number, who: string, happening: Happening];

/** Numbered per host and in the order of time, as a lab would have written them. */
export const traceOf = (lines: readonly Line[]): readonly TraceEvent[] => {
  const numbers = new Map<string, number>();
  return [...lines]
    .sort(([a], [b]) => a - b)
    .map(([seconds, who, happening]) => {
      const n = (numbers.get(who) ?? 0) + 1;
      numbers.set(who, n);
      return { t: Math.round(seconds * 1e6), who, n, ...happening };
    });
};

/** What these checks say, by clause. */
export const judged = (
  checks: readonly CheckName[],
  lines: readonly Line[],
): ReadonlyMap<string, Judgement> => {
  const judge = new Judge(checks);
  for (const event of traceOf(lines)) judge.event(event);
  return new Map(judge.judgements().map((judgement) => [judgement.clause, judgement]));
};

export const SCHEDULE = { baseMillis: 250, factor: 2, capMillis: 4_000, jitter: 0.5, healthyMillis: 3_000 };

const siteOf = (who: string): string => who.slice(0, who.indexOf('/'));

/** Sites with clean links (or another), their clients, all registered at 1 s, one schedule. */
export const place = (clients: Readonly<Record<string, TransferMode>>, link = 'clean'): readonly Line[] => {
  const names = Object.keys(clients);
  const sites = [...new Set(names.map(siteOf))];
  const note = { natNote: '', natForm: 'userspace', linkNote: '', linkForm: 'userspace' };
  return [
    ...sites.map((site): Line => {
      const count = names.filter((who) => siteOf(who) === site).length;
      return [0, 'plan', { type: 'site.declared', site, nat: 'home', link, clients: count, ...note }];
    }),
    ...names.map((client): Line => {
      const mode = clients[client] as TransferMode;
      return [0, 'plan', { type: 'client.declared', client, site: siteOf(client), mode, fleet: 'all' }];
    }),
    [0, 'plan', { type: 'schedule.declared', fleet: 'all', size: names.length, ...SCHEDULE }],
    [0, 'plan', { type: 'goal.declared', goal: 'back-millis', value: 7_000 }],
    ...names.map((who, index): Line => registered(1, who, 4001 + index, clients[who])),
  ];
};

export const registered = (at: number, who: string, port: number, mode: TransferMode = 'pool'): Line => [
  at,
  who,
  { type: 'client.registered', port, mode },
];
export const lost = (at: number, who: string, attempt = 0, waitMillis = 200): Line => [
  at,
  who,
  { type: 'client.lost', why: 'reset', waitMillis, attempt },
];
export const dialing = (at: number, who: string, attempt = 0): Line => [
  at,
  who,
  { type: 'client.dialing', attempt },
];
export const over = (at: number, complete = true): Line => [
  at,
  'runner',
  { type: 'run.ended', complete, why: 'timeline over' },
];

/** A fault with its receipt and its end. `site` '': the relay. */
export const fault = (
  number: number,
  kind: string,
  site: string,
  from: number,
  to: number,
  effects = 5,
): readonly Line[] => [
  [from, 'runner', { type: 'fault.begun', fault: number, kind, site, text: kind }],
  [to, 'runner', { type: 'fault.receipt', fault: number, kind, site, effects, text: `${effects} effects` }],
  [to, 'runner', { type: 'fault.ended', fault: number, kind, site }],
];

type Ends = {
  readonly mode: TransferMode;
  readonly close: CloseKind;
  readonly up: number;
  readonly down: number;
  /** Seconds from the dial to the first byte and to the end. */
  readonly first: number;
  readonly lasts: number;
  readonly served: boolean;
  /** What the user got of `down`, and how it ended for it; undefined: it is still open. */
  readonly got: number;
  readonly gotEnd: 'fin' | 'rst' | 'timeout' | 'refused' | 'none' | undefined;
  /** What the service got of `up`, and how it ended for it; undefined: it has not heard of any end. */
  readonly serviceGot: number;
  readonly serviceEnd: 'fin' | 'rst' | undefined;
};

/** A user's tunnel as it should be, but for what is named. Opened at `at`, to a client. */
export const tunnel = (
  number: number,
  at: number,
  client: string,
  but: Partial<Ends> = {},
): readonly Line[] => {
  const given = {
    mode: 'pool',
    close: 'half',
    up: 1_000,
    down: 5_000,
    first: 0.01,
    lasts: 0.1,
    served: true,
    ...but,
  } as const;
  const { mode, close, up, down } = given;
  const abort = close === 'abort';
  const got = but.got ?? (given.served ? (abort ? 500 : down) : 0);
  const gotEnd = 'gotEnd' in but ? but.gotEnd : abort ? 'none' : 'fin';
  const serviceGot = but.serviceGot ?? up;
  const serviceEnd = 'serviceEnd' in but ? but.serviceEnd : abort ? 'rst' : 'fin';
  const opened = { type: 'tunnel.opened', tunnel: number, mode, up, down, close } as const;
  const service = `${siteOf(client)}/service`;
  const lines: Line[] = [
    [at, 'users', { ...opened, side: 'user', client }],
    [at + 0.001, 'users', { type: 'tunnel.connected', tunnel: number }],
  ];
  if (given.served) lines.push([at + given.first / 2, service, { ...opened, side: 'service', client: '' }]);
  if (given.served && got > 0)
    lines.push([at + given.first, 'users', { type: 'tunnel.firstByte', tunnel: number, side: 'user' }]);
  if (gotEnd !== undefined) {
    const sentEnd = abort ? 'rst' : 'fin';
    const done = {
      type: 'tunnel.done',
      tunnel: number,
      side: 'user',
      sent: up,
      received: got,
      sentEnd,
      gotEnd,
    } as const;
    lines.push([at + given.lasts, 'users', done]);
  }
  if (given.served && serviceEnd !== undefined) {
    const ends = { sentEnd: abort ? 'none' : 'fin', gotEnd: serviceEnd } as const;
    const sent = abort ? down : Math.max(got, down);
    const done = {
      type: 'tunnel.done',
      tunnel: number,
      side: 'service',
      sent,
      received: serviceGot,
      ...ends,
    } as const;
    lines.push([at + given.lasts + 0.001, service, done]);
  }
  return lines;
};
