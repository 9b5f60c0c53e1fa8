import type t from 'tap';
import type { Schedule } from '../../backoff/schedule.ts';
import { rngFor } from '../../machine/rng.ts';
import { namesFrom, type Step, Transcript } from '../transcript.ts';
import type { ClientConfig } from './client-config.ts';
import { EventClient } from './event-client.ts';
import { MultiplexClient } from './multiplex-client.ts';
import { PoolClient } from './pool-client.ts';

/** One claim about a client machine: a conversation and the answers it must give. */
export type ClientCase = {
  readonly name: string;
  readonly config?: Partial<ClientConfig>;
  readonly steps: readonly Step[];
};

/** No jitter: waits of 100, 200, 400, 400 ms, afresh after 5 s of registration. */
export const PLAIN: Schedule = {
  baseMillis: 100,
  factor: 2,
  capMillis: 400,
  jitter: 0,
  healthyMillis: 5_000,
  triesMax: Number.POSITIVE_INFINITY,
};

const MODES = { pool: PoolClient, event: EventClient, multiplex: MultiplexClient } as const;

/** A client of relay:9000 for service:80 that names its dials 1, 2, ... and gives each 10 s. */
export const client = (
  mode: keyof typeof MODES,
  config: Partial<ClientConfig> = {},
): PoolClient | EventClient | MultiplexClient =>
  new MODES[mode]({
    relay: { host: 'relay', port: 9000 },
    service: { host: 'service', port: 80 },
    poolSize: 1,
    schedule: PLAIN,
    rng: rngFor(1, 'client'),
    name: namesFrom(1),
    dialMillis: 10_000,
    keepaliveMillis: 0,
    startAfterMillis: 0,
    ...config,
  });

/** The first dial of a client. */
export const DIAL: Step = ['start', 'report client.dialing attempt=0', 'connect 1 relay:9000'];

type Tap = typeof t;

/** Hands every conversation to a machine of its own and compares all it answers. */
export const judgeCases = (t: Tap, mode: keyof typeof MODES, cases: readonly ClientCase[]): void => {
  for (const { name, config, steps } of cases) {
    t.test(`${mode}: ${name}`, (t) => {
      const transcript = new Transcript(client(mode, config));
      for (const [input, ...outputs] of steps)
        t.strictSame(transcript.say(input), outputs, input.slice(0, 80));
      t.end();
    });
  }
};
