import { MetricRegistry } from '../measurement-relay/metrics.ts';
import { AgentError, reasonOf } from './agent-error.ts';
import type { AgentConfig, ConfiguredPlugin } from './config/agent-config.ts';
import type { Command } from './control/command.ts';
import type { Clock } from './pipeline/clock.ts';
import type { PipelineElement, Service } from './pipeline/element.ts';
import { type Group, Pipeline, type PipelineEvent, type PipelineStats } from './pipeline/pipeline.ts';
import type { AgentContext, Log } from './plugin.ts';

export type AgentOptions = {
  readonly clock: Clock;
  readonly log: Log;
  /** Name of this host. */
  readonly self: string;
  /** Whether `trigger-now` polls, whatever the configuration says. */
  readonly manualTrigger: boolean;
  /** Tells the user something they wait for: where a server listens. */
  readonly say: (line: string) => void;
};

/** How an agent ended. */
export type Ended = {
  /** Everything that was measured is where it belongs. */
  readonly clean: boolean;
  /** Why not, in sentences for the user. */
  readonly problems: readonly string[];
};

/** The elements of a plugin, told apart by who runs them. */
type Made = Group & { readonly services: readonly Service[] };

/**
 * Runs a configuration: its plugins' elements in a pipeline, and services beside it. It ends when it is told to (a signal,
 * socket control), or when an element fails for good.
 */
export class Agent {
  readonly registry = new MetricRegistry();
  readonly #options: AgentOptions;
  readonly #context: AgentContext;
  readonly #watched = new Set<number>();
  readonly #asked = Promise.withResolvers<void>();
  readonly #problems: string[] = [];
  readonly #services = new Map<string, readonly Service[]>();
  #config: AgentConfig;
  readonly #pipeline: Pipeline;
  #stopping = false;
  /** One start or reload at a time. */
  #busy: Promise<void> = Promise.resolve();

  constructor(config: AgentConfig, options: AgentOptions) {
    this.#config = config;
    this.#options = options;
    this.#pipeline = new Pipeline({
      clock: options.clock,
      queueBuffers: config.queueBuffers,
      manualTrigger: config.manualTrigger || options.manualTrigger,
      heard: (event) => this.#hear(event),
    });
    this.#context = {
      registry: this.registry,
      log: options.log,
      self: options.self,
      clock: options.clock,
      failed: (element, error) => this.#fail(element, error),
      obey: (command) => this.obey(command),
      outputs: () => this.#pipeline.outputs(),
      watched: this.#watched,
      say: options.say,
    };
  }

  /** Opens everything. After a failure nothing is open. @throws AgentError */
  async start(): Promise<void> {
    const { plugins } = this.#config;
    await this.#run(async () => {
      const made = await this.#make(plugins);
      await this.#pipeline.add(made, namesOf(plugins));
      try {
        for (const each of made) await this.#openServices(each);
      } catch (error) {
        await this.#closeServices([...this.#services.keys()]);
        await this.#pipeline.stop();
        throw error;
      }
    });
  }

  /** Resolves when the agent is to stop: it was asked to, or it cannot go on. */
  get asked(): Promise<void> {
    return this.#asked.promise;
  }

  /** Asks it to stop. */
  ask(): void {
    this.#asked.resolve();
  }

  /** Carries out a command of socket control. */
  obey(command: Command): void {
    if (command.type === 'shutdown') this.ask();
    else this.#pipeline.control(command.pattern, command.action);
  }

  /** A process to measure (`exec`, `watch`). */
  watch(pid: number): void {
    this.#watched.add(pid);
  }

  /** Polls every source now. */
  pollAll(): Promise<void> {
    return this.#pipeline.pollAll();
  }

  stats(): PipelineStats {
    return this.#pipeline.stats();
  }

  /**
   * Goes over to another configuration: plugins whose table is the same go on undisturbed; the others end in order and start anew,
   * in the state of a start (nothing is paused). When the new ones cannot start, the old ones come back.
   * @throws AgentError why it could not; the agent goes on as it was, or, where that is impossible, stops
   */
  async reload(config: AgentConfig): Promise<void> {
    await this.#run(async () => {
      if (this.#stopping) return;
      const before = this.#config;
      const same = (name: string): boolean => fingerprint(before, name) === fingerprint(config, name);
      const leaving = before.plugins.filter(({ name }) => !same(name));
      const coming = config.plugins.filter(({ name }) => !same(name));
      for (const key of ['queueBuffers', 'manualTrigger'] as const)
        if (before[key] !== config[key])
          this.#options.log.warn({ key }, 'reload: this takes effect at the next start only');
      const made = await this.#make(coming);
      await this.#closeServices(namesOf(leaving));
      const order = namesOf(config.plugins);
      let serving = made;
      let problem: unknown;
      await this.#pipeline.replace(namesOf(leaving), async () => {
        if (this.#stopping) return;
        try {
          await this.#pipeline.add(made, order);
        } catch (error) {
          problem = error;
          serving = await this.#goBack(leaving, before, error);
        }
      });
      if (this.#stopping) return;
      for (const each of serving) await this.#openServices(each);
      if (problem !== undefined) throw problem;
      this.#config = config;
      this.#options.log.info(
        { started: namesOf(coming), stopped: namesOf(leaving) },
        leaving.length + coming.length === 0 ? 'reload: nothing changed' : 'reloaded',
      );
    });
  }

  /** Ends everything in order, within the grace time. What is then left is told and given up. */
  async stop(): Promise<Ended> {
    this.#stopping = true;
    const { clock } = this.#options;
    const { graceMillis } = this.#config;
    const late = Promise.withResolvers<'late'>();
    const cancel = clock.wake(clock.now() + graceMillis, () => late.resolve('late'));
    const orderly = async (): Promise<void> => {
      await this.#closeServices([...this.#services.keys()]);
      await this.#pipeline.stop();
    };
    const how = await Promise.race([orderly(), late.promise]);
    cancel();
    if (how === 'late')
      this.#problems.push(
        `not everything could be written within shutdown_grace (${graceMillis} ms): ${this.#leftOver()}`,
      );
    return { clean: this.#problems.length === 0, problems: this.#problems };
  }

  /** Plugins that had ended start anew, because others could not. If they cannot either, the agent is at its end. */
  async #goBack(
    plugins: readonly ConfiguredPlugin[],
    config: AgentConfig,
    why: unknown,
  ): Promise<readonly Made[]> {
    try {
      const made = await this.#make(plugins);
      await this.#pipeline.add(made, namesOf(config.plugins));
      return made;
    } catch (error) {
      this.#fail(
        'reload',
        new AggregateError([why, error], `${reasonOf(why)}; nor could it go back: ${reasonOf(error)}`),
      );
      return [];
    }
  }

  #leftOver(): string {
    const { outputs } = this.#pipeline.stats();
    const left = outputs.filter(({ state }) => state === 'stopping');
    return left.length === 0
      ? 'a source did not end'
      : left.map(({ name, waiting }) => `${name} has ${waiting} batches waiting`).join(', ');
  }

  #run(task: () => Promise<void>): Promise<void> {
    const mine = this.#busy.then(task);
    this.#busy = mine.catch(() => undefined);
    return mine;
  }

  async #make(plugins: readonly ConfiguredPlugin[]): Promise<readonly Made[]> {
    const made: Made[] = [];
    for (const { name, create } of plugins) {
      const elements: PipelineElement[] = [];
      const services: Service[] = [];
      for (const element of await create(this.#context))
        if (element.type === 'service') services.push(element.service);
        else elements.push(element);
      made.push({ plugin: name, elements, services });
    }
    return made;
  }

  async #openServices({ plugin, services }: Made): Promise<void> {
    if (services.length === 0) return;
    const open: Service[] = [];
    this.#services.set(plugin, open);
    for (const service of services) {
      await service.open();
      open.push(service);
    }
  }

  async #closeServices(plugins: readonly string[]): Promise<void> {
    for (const plugin of plugins) {
      const services = this.#services.get(plugin) ?? [];
      this.#services.delete(plugin);
      for (const service of services) await service.close();
    }
  }

  #hear(event: PipelineEvent): void {
    const { log } = this.#options;
    switch (event.type) {
      case 'source.failed':
        log.warn(
          { element: event.name, why: reasonOf(event.error) },
          'a poll failed; further ones are not logged until one works',
        );
        return;
      case 'source.recovered':
        log.info({ element: event.name }, 'polls work again');
        return;
      case 'ignored':
        log.warn({ element: event.name, action: event.action }, `ignored: ${event.why}`);
        return;
      case 'output.failed':
        this.#blame(event.name, event.error);
        // one that was stopped or reloaded is gone either way: the agent runs on without it
        if (!event.wasLeaving) this.ask();
    }
  }

  #fail(element: string, error: unknown): void {
    this.#blame(element, error);
    this.ask();
  }

  /** Its end will not be clean. */
  #blame(element: string, error: unknown): void {
    this.#options.log.error({ element, why: reasonOf(error) }, 'an element failed for good');
    const why = error instanceof AgentError ? error.message : `${element}: ${reasonOf(error)}`;
    if (!this.#problems.includes(why)) this.#problems.push(why);
  }
}

const namesOf = (plugins: readonly ConfiguredPlugin[]): readonly string[] => plugins.map(({ name }) => name);

const fingerprint = ({ plugins }: AgentConfig, plugin: string): string | undefined =>
  plugins.find(({ name }) => name === plugin)?.fingerprint;
