import type t from 'tap';
import { namesFrom, type Step, Transcript } from '../transcript.ts';
import type { RelayLimits } from './limits.ts';
import { RelayMachine } from './relay-machine.ts';

/** One claim about the relay machine: a conversation and the answers it must give. */
export type RelayCase = {
  readonly name: string;
  readonly limits?: Partial<RelayLimits>;
  readonly ports?: readonly [from: number, to: number];
  readonly steps: readonly Step[];
};

/** A machine with ids ID1, ID2, ..., streams from 101 and no keepalive. */
export const relay = (limits: Partial<RelayLimits> = {}, from = 9001, to = 9003): RelayMachine => {
  let ids = 0;
  return new RelayMachine({
    port: 9000,
    limits: { keepaliveMillis: 0, ...limits },
    newId: () => `ID${++ids}`,
    name: namesFrom(101),
    publicPorts: { from, to },
  });
};
/** The control port is open. */
export const UP: readonly Step[] = [
  ['start', 'listen 0 9000'],
  ['listening 0 9000', 'report relay.listening port=9000'],
];
/** Connection 1 has registered a pool: listener 1, port 9001, id ID1. */
export const POOL: readonly Step[] = [
  ...UP,
  ['accept 1 0'],
  ['bytes 1 "pool\\nnew\\n"', 'listen 1 9001'],
  ['listening 1 9001', 'send 1 "9001\\nID1\\n"', 'report relay.registered conn=1 mode=pool port=9001'],
];
/** Connection 1 listens for events: listener 1, port 9001. */
export const EVENT: readonly Step[] = [
  ...UP,
  ['accept 1 0'],
  ['bytes 1 "event\\nnew\\n"', 'listen 1 9001'],
  ['listening 1 9001', 'send 1 "9001\\n"', 'report relay.registered conn=1 mode=event port=9001'],
];
/** Connection 1 is a yamux session: listener 1, port 9001. */
export const MULTIPLEX: readonly Step[] = [
  ...UP,
  ['accept 1 0'],
  ['bytes 1 "multiplex\\n"', 'listen 1 9001'],
  [
    'listening 1 9001',
    'send 1 "9001\\n"',
    'report relay.registered conn=1 mode=multiplex port=9001',
    'mux 1 client ""',
  ],
];
/** What joins two connections. */
export const tunnel = (client: number, user: number, waited = 0): readonly string[] => [
  `splice ${client} ${user}`,
  `report relay.tunnel client=${client} user=${user} waitedMillis=${waited}`,
];
/** A user was accepted on port 9001. */
export const user = (conn: number): string => `report relay.user conn=${conn} port=9001`;
/** The first refusal of a burst. */
export const refused = (conn: number, why: string): readonly string[] => [
  `report relay.refused conn=${conn} why=${why}`,
  `close ${conn}`,
];
/** More than a waiting connection may send. */
export const A70K = JSON.stringify('a'.repeat(70_000));

type Tap = typeof t;

/** Hands every conversation to a machine of its own and compares all it answers. */
export const judgeCases = (t: Tap, cases: readonly RelayCase[]): void => {
  for (const { name, limits, ports, steps } of cases) {
    t.test(name, (t) => {
      const transcript = new Transcript(relay(limits, ...(ports ?? [9001, 9003])));
      for (const [input, ...outputs] of steps)
        t.strictSame(transcript.say(input), outputs, input.slice(0, 80));
      t.end();
    });
  }
};
