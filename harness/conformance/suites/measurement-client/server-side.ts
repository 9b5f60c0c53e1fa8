/** The other side of a client of measurements: we are its relay server, and write the configuration it runs by. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientContext, RunningClient } from '../../case.ts';
import type { WireEnd } from '../../wire/wire-end.ts';
import type { WireListener } from '../../wire/wire-listener.ts';
import {
  BODY_MAX,
  type Content,
  frameOf,
  greetResponse,
  type Point,
  readBody,
} from '../measurement-server/messages.ts';

/** What the target is told to do. Durations in milliseconds. */
export type Settings = {
  readonly name: string;
  readonly lengthMax: number;
  readonly timeoutMillis: number;
  readonly maxTimes: number;
  readonly initialMillis: number;
  readonly maxMillis: number;
  /** Between two polls of its sources. */
  readonly pollMillis: number;
  /** All sources there are, not the one of a few points. */
  readonly many: boolean;
};

/** Sixty points a second at most, sent without much delay, and many quick retries. */
const USUAL: Settings = {
  ...{ name: 'case-client', lengthMax: 500, timeoutMillis: 200, pollMillis: 50, many: false },
  ...{ maxTimes: 20, initialMillis: 100, maxMillis: 200 },
};

const configOf = (settings: Settings, address: string): string => {
  const { name, lengthMax, timeoutMillis, maxTimes, initialMillis, maxMillis, pollMillis, many } = settings;
  return `[plugins.relay-client]
client_name = "${name}"
relay_server = "${address}"
buffer_max_length = ${lengthMax}
buffer_timeout = "${timeoutMillis}ms"

[plugins.relay-client.retry]
max_times = ${maxTimes}
initial_delay = "${initialMillis}ms"
max_delay = "${maxMillis}ms"

${procfsConfig(pollMillis, many)}`;
};

/** Sources of a few points each, polled so often; the same tables for Alumet and for whoever reads its configuration. */
export const procfsConfig = (pollMillis: number, many: boolean): string => `[plugins.procfs.memory]
enabled = true
poll_interval = "${pollMillis}ms"
metrics = ["MemTotal", "MemFree", "MemAvailable"]

[plugins.procfs.kernel]
enabled = ${many}
poll_interval = "${pollMillis}ms"

[plugins.procfs.network]
enabled = ${many}
poll_interval = "${pollMillis}ms"

[plugins.procfs.processes]
enabled = false
refresh_interval = "2s"
strategy = "watcher"
groups = []

[plugins.procfs.processes.events]
poll_interval = "1s"
flush_interval = "4s"
memory_mode = "quick"
`;

export const PLACEHOLDERS: Readonly<Record<string, string>> = {
  config: "a configuration file with Alumet's tables relay-client (all keys) and procfs",
  address: 'HOST:PORT of the server, as in that file',
  port: 'the port alone',
  client_name: 'the name to greet with, as in that file',
  buffer_max_length: 'points of a batch, as in that file',
  buffer_timeout: 'such as 200ms, as in that file',
  max_times: 'retries, as in that file',
  initial_delay: 'such as 100ms, as in that file',
  max_delay: 'such as 200ms, as in that file',
};

export type Stage = {
  readonly relay: WireListener;
  readonly client: RunningClient;
  readonly settings: Settings;
};

/** Starts the target towards a listener, which need not listen now. */
export const startTowards = async (
  it: ClientContext,
  port: number,
  settings: Settings,
): Promise<RunningClient> => {
  const address = `127.0.0.1:${port}`;
  const config = join(it.folder(), 'config.toml');
  writeFileSync(config, configOf(settings, address));
  return it.start({
    ...{ config, address, port: String(port), client_name: settings.name },
    ...{ buffer_max_length: String(settings.lengthMax), buffer_timeout: `${settings.timeoutMillis}ms` },
    ...{ max_times: String(settings.maxTimes), initial_delay: `${settings.initialMillis}ms` },
    max_delay: `${settings.maxMillis}ms`,
  });
};

export const settingsWith = (more: Partial<Settings>): Settings => ({ ...USUAL, ...more });

export const stage = async (it: ClientContext, more: Partial<Settings> = {}): Promise<Stage> => {
  const settings = settingsWith(more);
  const relay = await it.listen('server');
  return { relay, settings, client: await startTowards(it, await it.door(relay), settings) };
};

/** A message as it came. */
export type Heard = {
  /** performance.now() of its last byte, within ten milliseconds. */
  readonly at: number;
  readonly sender: string;
  readonly content: Content;
  /** Bytes of the body behind the value. */
  readonly left: number;
};

const LOOK_MILLIS = 10;
/** A program may take its time to start. */
const START_MILLIS = 15_000;

/** One connection of the target, with us as its server. */
export class Served {
  readonly #it: ClientContext;
  readonly end: WireEnd;
  /** Everything it said. */
  readonly heard: Heard[] = [];

  constructor(it: ClientContext, end: WireEnd) {
    this.#it = it;
    this.end = end;
  }

  /** Its next connection, silent so far. */
  static async accepted(it: ClientContext, relay: WireListener, millis = START_MILLIS): Promise<Served> {
    return new Served(it, await relay.accept('the client connects', millis));
  }

  /** Its next connection, greeted and accepted. */
  static async greeted(it: ClientContext, relay: WireListener, millis = START_MILLIS): Promise<Served> {
    const served = await Served.accepted(it, relay, millis);
    await served.greet();
    await served.answer();
    return served;
  }

  /** Its Greet. @throws Broken for anything else */
  async greet(): Promise<Heard> {
    const heard = await this.next('a Greet');
    if (heard.content.tag !== 'Greet') this.#it.broken('a Greet first', heard.content.tag);
    return heard;
  }

  answer(content: Content = greetResponse()): Promise<void> {
    return this.end.send(frameOf('', content));
  }

  /** The next message. @throws Broken for bytes that are none, or none in time */
  async next(what: string, millis = this.#it.patienceMillis): Promise<Heard> {
    const length = (await this.end.take(4, `the length of ${what}`, millis)).readUInt32BE();
    if (length > BODY_MAX) this.#it.broken(`a body of at most ${BODY_MAX} bytes`, `a length of ${length}`);
    const body = await this.end.take(length, what);
    try {
      const { message, left } = readBody(body);
      const heard = { at: performance.now(), left, ...message };
      this.heard.push(heard);
      return heard;
    } catch (error) {
      return this.#it.broken(
        `${what} in postcard`,
        `${body.subarray(0, 64).toString('hex')}: ${(error as Error).message}`,
      );
    }
  }

  /** The next batch that has points; registrations and empty batches before it are kept in `heard`. */
  async batch(millis = this.#it.patienceMillis): Promise<readonly Point[]> {
    for (;;) {
      const { content } = await this.next('a batch of points', millis);
      if (content.tag === 'SendMeasurements' && content.value.buf.length > 0) return content.value.buf;
      if (content.tag === 'Greet' || content.tag === 'GreetResponse')
        this.#it.broken('RegisterMetrics and SendMeasurements', content.tag);
    }
  }

  /** Takes what comes for so long, or until it ends. */
  async listen(millis: number): Promise<void> {
    const began = performance.now();
    while (performance.now() - began < millis) {
      if (this.end.held >= 4) await this.next('a message');
      else if (this.end.ended !== 'open') return;
      else await this.#it.wait(LOOK_MILLIS);
    }
  }

  /** Takes all until its FIN. @returns how it ended */
  async toTheEnd(millis: number): Promise<'fin' | 'reset'> {
    const began = performance.now();
    while (this.end.ended === 'open' && performance.now() - began < millis) await this.listen(50);
    while (this.end.held >= 4) await this.next('a message');
    return this.end.expectEnd('the client closes its connection', 1);
  }

  get batches(): readonly { readonly at: number; readonly points: readonly Point[] }[] {
    return this.heard.flatMap(({ at, content }) =>
      content.tag === 'SendMeasurements' ? [{ at, points: content.value.buf }] : [],
    );
  }

  get points(): readonly Point[] {
    return this.batches.flatMap(({ points }) => points);
  }
}
