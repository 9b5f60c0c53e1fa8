/** An agent with a control socket, and what can be seen of it: its points in a file, its replies, its socket. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientContext, RunningClient } from '../../case.ts';
import type { WireEnd } from '../../wire/wire-end.ts';
import { procfsConfig } from '../measurement-client/server-side.ts';
import { PointsFile } from '../measurement-server/points-file.ts';

/** Between two polls of each source. */
const POLL_MILLIS = 40;
/** So long without a point of a source is rest: fifteen polls. */
const QUIET_MILLIS = 600;
const LOOK_MILLIS = 20;
/** A program may take its time to start. */
const START_MILLIS = 15_000;
/** How long a reply may take to be seen; a target that never replies costs each line so long. */
const REPLY_MILLIS = 250;

export const PLACEHOLDERS: Readonly<Record<string, string>> = {
  config: "a configuration file with Alumet's tables socket-control, csv and procfs",
  socket: 'the path of the socket, as in that file',
  output: 'the CSV file, as in that file',
};

/** Where an agent has its files. */
export type Place = { readonly socket: string; readonly output: string; readonly config: string };

export const newPlace = (it: ClientContext): Place => {
  const folder = it.folder();
  return {
    socket: join(folder, 'control.sock'),
    output: join(folder, 'output.csv'),
    config: join(folder, 'config.toml'),
  };
};

/** Starts the target; it may not come up, and nothing is waited for. */
export const startAt = (it: ClientContext, place: Place): Promise<RunningClient> => {
  writeFileSync(
    place.config,
    `[plugins.socket-control]
socket_path = "${place.socket}"

[plugins.csv]
output_path = "${place.output}"
force_flush = true
append_unit_to_metric_name = true
use_unit_display_name = true
csv_delimiter = ";"
csv_late_delimiter = ","

${procfsConfig(POLL_MILLIS, true)}`,
  );
  return it.start({ ...place });
};

/** Sources by how the names of their metrics begin. */
export const SOURCES = { memory: 'mem', kernel: 'kernel_', network: 'network_' } as const;
export type SourceName = keyof typeof SOURCES;

/** What came back for a line. */
export type Told = { readonly reply: string; readonly ended: boolean };

export class Agent {
  readonly #it: ClientContext;
  readonly place: Place;
  readonly program: RunningClient;
  readonly #file: PointsFile;
  #connections = 0;

  private constructor(it: ClientContext, place: Place, program: RunningClient) {
    this.#it = it;
    this.place = place;
    this.program = program;
    this.#file = new PointsFile(place.output);
  }

  /** Up: its socket takes connections and its sources measure. */
  static async running(it: ClientContext, place = newPlace(it)): Promise<Agent> {
    const agent = new Agent(it, place, await startAt(it, place));
    (await it.dialPath(place.socket, 'first', START_MILLIS)).close();
    await agent.flows('its start');
    return agent;
  }

  dial(name = `c-${++this.#connections}`): Promise<WireEnd> {
    return this.#it.dialPath(this.place.socket, name);
  }

  /** As `echo LINE | socat - UNIX-CONNECT:...` does: writes, ends its side, reads what comes. */
  async say(line: string | Uint8Array): Promise<Told> {
    const end = await this.dial();
    await end.send(typeof line === 'string' ? Buffer.from(`${line}\n`) : line);
    const told = await this.told(end);
    end.end();
    end.close();
    return told;
  }

  /** What a connection tells within a moment. */
  async told(end: WireEnd): Promise<Told> {
    const began = performance.now();
    while (end.held === 0 && end.ended === 'open' && performance.now() - began < REPLY_MILLIS)
      await this.#it.wait(LOOK_MILLIS);
    const reply = end.held > 0 ? (await end.take(end.held, 'a reply')).toString() : '';
    return { reply, ended: end.ended !== 'open' };
  }

  /** Points of a source that are stored by now. */
  count(source: SourceName): number {
    this.#file.read();
    let count = 0;
    for (const [metric, points] of this.#file.points)
      if (metric.startsWith(SOURCES[source])) count += points.length;
    return count;
  }

  /** Times of the polls of a source that are stored by now, Unix time in milliseconds, oldest first. */
  polls(source: SourceName): readonly number[] {
    this.#file.read();
    const times = new Set<number>();
    for (const [metric, points] of this.#file.points)
      if (metric.startsWith(SOURCES[source]))
        for (const { secs, nanos } of points) times.add(secs * 1e3 + nanos / 1e6);
    return [...times].sort((a, b) => a - b);
  }

  /** New points come. @throws Broken */
  async flows(after: string, source: SourceName = 'memory'): Promise<void> {
    const before = this.count(source);
    const began = performance.now();
    const limit = 2 * this.#it.patienceMillis;
    while (this.count(source) <= before + 3) {
      const passed = performance.now() - began;
      if (!this.program.running)
        this.#it.broken(`points after ${after}`, `the agent ended: ${this.#lastWords}`);
      if (passed > limit) {
        this.#it.blameMachine(passed, `points after ${after}`);
        const trouble = this.#file.trouble === '' ? '' : `: ${this.#file.trouble}`;
        this.#it.broken(`points of ${source} after ${after}`, `none within ${limit} ms${trouble}`);
      }
      await this.#it.wait(LOOK_MILLIS);
    }
  }

  /** No new points come for a while, in time. @throws Broken */
  async rests(after: string, source: SourceName = 'memory'): Promise<void> {
    const began = performance.now();
    const limit = 2 * this.#it.patienceMillis;
    for (let [count, since] = [this.count(source), began]; performance.now() - since < QUIET_MILLIS; ) {
      await this.#it.wait(LOOK_MILLIS);
      const now = this.count(source);
      if (now !== count) [count, since] = [now, performance.now()];
      const passed = performance.now() - began;
      if (passed > limit) {
        this.#it.blameMachine(passed, `rest after ${after}`);
        this.#it.broken(`no new points of ${source} after ${after}`, `points still after ${limit} ms`);
      }
    }
    if (!this.program.running)
      this.#it.broken(`an agent that goes on after ${after}`, `it ended: ${this.#lastWords}`);
  }

  /** A line rests the memory source: whether whoever sent it has gone or not. */
  async obeys(line = 'control source pause'): Promise<void> {
    await this.say(line);
    await this.rests(`"${line}"`);
  }

  get #lastWords(): string {
    return this.program.output().slice(-300) || 'it said nothing';
  }
}
