#!/usr/bin/env node
/**
 * The program that runs inside a lab's hosts: `node harness/agents/agent.ts`. Speaks protocol.ts over standard input and
 * output; runs the actors of one or several hosts over real sockets. Ends with its input, and whatever it started with it.
 */
import { createInterface } from 'node:readline';
import { connNames, NodeDriver } from '../../reference-impl/drivers/node.ts';
import type { Address } from '../../reference-impl/machine/machine.ts';
import { Stamper } from '../trace/stamp.ts';
import type { Happening, TraceEvent } from '../trace/trace.ts';
import type { ActorCommand, ActorSpec } from './actor-spec.ts';
import { makeActor } from './actors.ts';
import { Program } from './program.ts';
import type { AgentCommand } from './protocol.ts';
import { TraceWire } from './wire-watch.ts';

type Running =
  | { readonly kind: 'program'; readonly program: Program }
  | { readonly kind: 'machine'; readonly driver: NodeDriver<Happening, ActorCommand> };

/** Lines are gathered for this long, so that a burst of events is one write. */
const GATHER_MILLIS = 5;

class Agent {
  readonly #running = new Map<string, Running>();
  /** Where machines listened: one that is started again after a kill is found where it was. */
  readonly #ports = new Map<string, number>();
  #base = process.hrtime.bigint();
  #seed = 0;
  #lines: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Told to go on without whoever started it. */
  kept = false;
  readonly #stamper = new Stamper(
    () => Number((process.hrtime.bigint() - this.#base) / 1000n),
    (event) => this.#write(event),
  );

  #write(event: TraceEvent): void {
    if (this.kept) return;
    this.#lines.push(JSON.stringify(event));
    this.#timer ??= setTimeout(() => this.flush(), GATHER_MILLIS);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length === 0) return;
    process.stdout.write(`${this.#lines.join('\n')}\n`);
    this.#lines = [];
  }

  async perform(command: AgentCommand): Promise<void> {
    switch (command.do) {
      case 'begin':
        this.#base = BigInt(command.base);
        this.#seed = command.seed;
        return;
      case 'start':
        return this.#start(command.who, command.actor, command.bind, command.watch);
      case 'tell': {
        const running = this.#known(command.who);
        if (running.kind === 'program') throw new Error(`${command.who} is a program and takes no commands`);
        return running.driver.tell(command.command);
      }
      case 'stop':
        return this.#stop(command.who, command.how);
      case 'audit': {
        const running = this.#known(command.who);
        if (running.kind === 'program') await running.program.audit(command.moment);
        return;
      }
      case 'keep':
        this.flush();
        this.kept = true;
        return;
      case 'exit':
        return this.end();
      default:
        throw new Error(`no such command: ${JSON.stringify(command).slice(0, 200)}`);
    }
  }

  #known(who: string): Running {
    const running = this.#running.get(who);
    if (running === undefined)
      throw new Error(`no actor ${who} here; there are: ${[...this.#running.keys()].join(', ')}`);
    return running;
  }

  /** An actor that cannot be made has crashed: somebody waits for it to be ready. */
  async #start(who: string, actor: ActorSpec<Address>, bind: string, watch: boolean): Promise<void> {
    const say = (event: Happening): void => {
      if (event.type === 'host.ready') this.#ports.set(who, event.port);
      this.#stamper.say(who, event);
    };
    const known = this.#running.get(who);
    if (known?.kind === 'program') return known.program.start();
    if (known !== undefined) throw new Error(`${who} is started already`);
    try {
      if (actor.kind === 'program') {
        const program = new Program(actor, say);
        this.#running.set(who, { kind: 'program', program });
        return await program.start();
      }
      const name = connNames();
      const machine = makeActor(actor, { name, seed: this.#seed, who, port: this.#ports.get(who) ?? 0 });
      const wire = watch ? { watch: new TraceWire(say) } : {};
      const driver = new NodeDriver(machine, { name, report: say, bind, ...wire });
      this.#running.set(who, { kind: 'machine', driver });
      say({ type: 'host.started', form: actor.kind });
      driver.start();
    } catch (error) {
      say({ type: 'host.crashed', reason: error instanceof Error ? error.message : String(error) });
    }
  }

  async #stop(who: string, how: 'orderly' | 'kill'): Promise<void> {
    const running = this.#known(who);
    if (running.kind === 'program') return running.program.stop(how);
    if (how === 'orderly') running.driver.stop();
    else {
      running.driver.destroy();
      this.#running.delete(who);
      this.#stamper.say(who, { type: 'host.stopped', code: 0 });
    }
  }

  /** The programs it started would outlive it. Also the last act of an agent that breaks. */
  killPrograms(): void {
    for (const running of this.#running.values())
      if (running.kind === 'program') running.program.kill('SIGKILL');
  }

  /** Everything this agent started goes with it. */
  end(): never {
    for (const running of this.#running.values()) if (running.kind === 'machine') running.driver.destroy();
    this.flush();
    process.exit(0);
  }
}

const agent = new Agent();
process.on('exit', () => agent.killPrograms());
// Ctrl-C in a terminal reaches the whole process group: the runner decides what happens then, not each agent.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('SIGTERM', () => agent.end());
process.stdout.on('error', () => {
  if (!agent.kept) agent.end();
});
process.stderr.on('error', () => {});

const complain = (text: string): void => {
  process.stderr.write(`agent: ${text.replaceAll('\n', ' ')}\n`);
};
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  let command: AgentCommand;
  try {
    command = JSON.parse(line);
    if (typeof command?.do !== 'string') throw new Error('no "do" in it');
  } catch (error) {
    return complain(`not a command (${String(error)}): ${line.slice(0, 200)}`);
  }
  agent.perform(command).catch((error: unknown) => {
    complain(
      `${command.do} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  });
});
lines.on('close', () => {
  if (!agent.kept) agent.end();
});
