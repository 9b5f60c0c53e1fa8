import type { Batch, Origin, Point } from '../../measurement-relay/messages.ts';
import type { Clock } from './clock.ts';
import type { AutonomousSource, Output, PipelineElement, PointCounts, Source, Transform } from './element.ts';
import { OutputLine, type OutputState } from './output-line.ts';
import { type Action, matches, type Pattern } from './pattern.ts';
import { SourceLine, type SourceState } from './source-line.ts';

/** Elements of one plugin; plugins stand in the order in which their transforms work. */
export type Group = { readonly plugin: string; readonly elements: readonly PipelineElement[] };

/** What happens in a pipeline, for the log. */
export type PipelineEvent =
  | { readonly type: 'source.failed'; readonly name: string; readonly error: unknown }
  | { readonly type: 'source.recovered'; readonly name: string }
  /** For good; the agent cannot keep what it promised. `wasLeaving`: it had been told to end, and could not bring out everything. */
  | {
      readonly type: 'output.failed';
      readonly name: string;
      readonly error: unknown;
      readonly wasLeaving: boolean;
    }
  /** Socket control asked for what this element cannot do. */
  | {
      readonly type: 'ignored';
      readonly name: string;
      readonly action: Action['type'];
      readonly why: string;
    };

export type PipelineOptions = {
  readonly clock: Clock;
  /** Batches that may wait for one output; beyond that sources are held back. */
  readonly queueBuffers: number;
  /** Whether `trigger-now` polls. */
  readonly manualTrigger: boolean;
  readonly heard: (event: PipelineEvent) => void;
};

type Autonomous = { readonly source: AutonomousSource; stop: Promise<void> | undefined };
type TransformLine = { readonly transform: Transform; paused: boolean };
/** The elements of a plugin at work. */
type Lines = {
  readonly plugin: string;
  readonly sources: SourceLine[];
  readonly autonomous: Autonomous[];
  readonly transforms: TransformLine[];
  readonly outputs: OutputLine[];
};

export type PipelineStats = {
  readonly sources: readonly ({
    readonly name: string;
    readonly state: SourceState;
    readonly periodMillis: number;
  } & SourceLine['stats'])[];
  readonly outputs: readonly ({ readonly name: string; readonly state: OutputState } & OutputLine['stats'])[];
  /** The ends of relays among them. */
  readonly relays: readonly ({ readonly name: string } & PointCounts)[];
};

/**
 * Sources, transforms and outputs at work. A batch passes the transforms at once and is then queued for every output. Nothing
 * is lost in here: while any output's queue is full, sources are held back, until it writes, is stopped, or fails.
 */
export class Pipeline {
  readonly #options: PipelineOptions;
  #groups: Lines[] = [];
  readonly #blocked: (() => void)[] = [];
  #gate = false;

  constructor(options: PipelineOptions) {
    this.#options = options;
  }

  /**
   * Opens outputs, then sources. After a failure nothing of these groups is open.
   * @param order all plugins' names in the order their transforms work; those that are missing come last
   * @throws what an element's `open` threw
   */
  async add(groups: readonly Group[], order: readonly string[]): Promise<void> {
    const added = groups.map((group) => this.#linesOf(group));
    const opened: { close(): Promise<void> }[] = [];
    try {
      for (const { outputs } of added)
        for (const line of outputs) {
          await line.output.open();
          opened.push(line.output);
        }
      const place = (plugin: string): number =>
        (order.indexOf(plugin) + order.length + 1) % (order.length + 1);
      for (const { sources } of added)
        for (const line of sources) {
          await line.source.open();
          opened.push(line.source);
        }
      this.#groups = [...this.#groups, ...added].sort((a, b) => place(a.plugin) - place(b.plugin));
      for (const { autonomous } of added)
        for (const { source } of autonomous) {
          await source.open((batch) => this.#emit(batch));
          opened.push(source);
        }
    } catch (error) {
      this.#groups = this.#groups.filter((lines) => !added.includes(lines));
      this.#wake();
      for (const element of opened.reverse()) await element.close().catch(() => undefined);
      throw error;
    }
    for (const { sources } of added) for (const line of sources) line.start();
  }

  /** Ends the elements of some plugins: their sources first, their outputs when all is written. Then `next` runs before anybody is let on. */
  async replace(plugins: readonly string[], next: () => Promise<void>): Promise<void> {
    const leaving = this.#groups.filter(({ plugin }) => plugins.includes(plugin));
    // first: one that holds writes back holds back the sources, too
    for (const { outputs } of leaving) for (const line of outputs) line.finish();
    await this.#stopSources(leaving);
    this.#gate = true;
    try {
      for (const { transforms } of leaving) this.#flushTransforms(transforms);
      this.#groups = this.#groups.filter((lines) => !leaving.includes(lines));
      await Promise.all(leaving.flatMap(({ outputs }) => outputs.map((line) => line.stop())));
      await next();
    } finally {
      this.#gate = false;
      this.#wake();
    }
  }

  /** Tells every element the pattern selects. What an element cannot do is reported, never refused. */
  control(pattern: Pattern, action: Action): void {
    for (const { sources, autonomous, transforms, outputs } of this.#groups) {
      for (const line of sources)
        if (matches(pattern, 'source', line.source.name)) this.#tellSource(line, action);
      for (const line of autonomous)
        if (matches(pattern, 'source', line.source.name)) this.#tellAutonomous(line, action);
      for (const line of transforms)
        if (matches(pattern, 'transform', line.transform.name)) {
          if (action.type === 'pause') line.paused = true;
          if (action.type === 'resume') line.paused = false;
        }
      for (const line of outputs)
        if (matches(pattern, 'output', line.output.name)) {
          if (action.type === 'pause') line.pause();
          if (action.type === 'resume') line.resume();
          if (action.type === 'stop') void line.stop();
        }
    }
  }

  /** Polls every managed source that runs, now. Resolves when what they measured is on its way to the outputs. */
  async pollAll(): Promise<void> {
    await Promise.all(this.#groups.flatMap(({ sources }) => sources.map((line) => line.trigger())));
  }

  /** Brings out what outputs hold. */
  async flush(): Promise<void> {
    await Promise.all(this.#lines('outputs').map((line) => line.flush()));
  }

  /** Ends everything in order: sources, what transforms hold, outputs when all is written, also those that are paused. */
  async stop(): Promise<void> {
    for (const line of this.#lines('outputs')) {
      line.resume();
      line.finish();
    }
    await this.#stopSources(this.#groups);
    for (const { transforms } of this.#groups) this.#flushTransforms(transforms);
    await Promise.all(this.#lines('outputs').map((line) => line.stop()));
  }

  /** Batches that no output has written yet. */
  get waiting(): number {
    return this.#lines('outputs').reduce((sum, { stats }) => Math.max(sum, stats.waiting), 0);
  }

  stats(): PipelineStats {
    return {
      sources: this.#lines('sources').map((line) => ({
        name: line.source.name,
        state: line.state,
        periodMillis: line.periodMillis,
        ...line.stats,
      })),
      outputs: this.#lines('outputs').map((line) => ({
        name: line.output.name,
        state: line.state,
        ...line.stats,
      })),
      relays: [
        ...this.#groups.flatMap(({ autonomous }) => autonomous.map(({ source }) => source)),
        ...this.#lines('outputs').map(({ output }) => output),
      ].flatMap((element) => {
        const counts = element.counts?.();
        return counts === undefined ? [] : [{ name: element.name, ...counts }];
      }),
    };
  }

  /** The outputs that take batches. */
  outputs(): readonly Output[] {
    return this.#lines('outputs')
      .filter(({ alive }) => alive)
      .map(({ output }) => output);
  }

  #lines<Kind extends 'sources' | 'outputs' | 'transforms'>(kind: Kind): Lines[Kind][number][] {
    return this.#groups.flatMap((lines): Lines[Kind][number][] => lines[kind]);
  }

  #linesOf({ plugin, elements }: Group): Lines {
    const lines: Lines = { plugin, sources: [], autonomous: [], transforms: [], outputs: [] };
    const { heard } = this.#options;
    for (const element of elements) {
      if (element.type === 'transform')
        lines.transforms.push({ transform: element.transform, paused: false });
      else if (element.type === 'output')
        lines.outputs.push(
          new OutputLine(element.output, this.#options.queueBuffers, {
            roomy: () => this.#wake(),
            failed: ({ name }, error, wasLeaving) =>
              heard({ type: 'output.failed', name, error, wasLeaving }),
          }),
        );
      else if (element.source.kind === 'autonomous')
        lines.autonomous.push({ source: element.source, stop: undefined });
      else lines.sources.push(this.#sourceLine(element.source));
    }
    return lines;
  }

  #sourceLine(source: Source): SourceLine {
    const { clock, heard } = this.#options;
    return new SourceLine(source, {
      clock,
      hand: async (points) => {
        await this.#offer(points, undefined);
      },
      failed: ({ name }, error, repeated) => {
        if (!repeated) heard({ type: 'source.failed', name, error });
      },
      recovered: ({ name }) => heard({ type: 'source.recovered', name }),
    });
  }

  #tellSource(line: SourceLine, action: Action): void {
    switch (action.type) {
      case 'pause':
        return line.pause();
      case 'resume':
        return line.resume();
      case 'stop':
        void line.stop();
        return;
      case 'set-period':
        return line.setPeriod(action.periodMillis);
      case 'trigger-now':
        if (this.#options.manualTrigger) void line.trigger();
        else
          this.#ignored(
            line.source.name,
            action,
            'this agent allows no manual triggers (allow_manual_trigger)',
          );
    }
  }

  #tellAutonomous(line: Autonomous, action: Action): void {
    if (action.type === 'stop') line.stop ??= line.source.close();
    else this.#ignored(line.source.name, action, 'an autonomous source can be stopped and nothing else');
  }

  #ignored(name: string, { type }: Action, why: string): void {
    this.#options.heard({ type: 'ignored', name, action: type, why });
  }

  async #stopSources(groups: readonly Lines[]): Promise<void> {
    await Promise.all(
      groups.flatMap(({ sources, autonomous }) => [
        ...sources.map((line) => line.stop()),
        ...autonomous.map((line) => {
          line.stop ??= line.source.close();
          return line.stop;
        }),
      ]),
    );
  }

  /** What these transforms hold goes on through those behind them. Nothing is held back any more: it is the last. */
  #flushTransforms(transforms: readonly TransformLine[]): void {
    const all = this.#lines('transforms');
    for (const line of transforms) {
      const points = line.transform.flush?.() ?? [];
      if (points.length > 0)
        this.#queue(this.#through(points, undefined, all.slice(all.indexOf(line) + 1)), undefined);
    }
  }

  #through(
    points: readonly Point[],
    origin: Origin | undefined,
    lines: readonly TransformLine[],
  ): readonly Point[] {
    let out = points;
    for (const { transform, paused } of lines) if (!paused) out = transform.apply(out, origin);
    return out;
  }

  #queue(points: readonly Point[], origin: Origin | undefined): readonly Promise<boolean>[] {
    // a relayed batch with nothing left in it is still to be noted by who stores where it came from
    if (points.length === 0 && origin === undefined) return [];
    const batch: Batch = { points, origin };
    return this.#lines('outputs')
      .filter(({ alive }) => alive)
      .map((line) => line.offer(batch));
  }

  /** Waits for room, then lets a batch through. */
  async #offer(points: readonly Point[], origin: Origin | undefined): Promise<readonly Promise<boolean>[]> {
    while (this.#gate || this.#lines('outputs').some(({ full }) => full)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#blocked.push(resolve);
      await promise;
    }
    return this.#queue(this.#through(points, origin, this.#lines('transforms')), origin);
  }

  async #emit({ points, origin }: Batch): Promise<boolean> {
    if (this.outputs().length === 0) return false;
    const taken = await Promise.all(await this.#offer(points, origin));
    // without an origin nothing may be left of a batch: then there is nothing to store
    return taken.every((each) => each) && (taken.length > 0 || origin === undefined);
  }

  #wake(): void {
    for (const resolve of this.#blocked.splice(0)) resolve();
  }
}
