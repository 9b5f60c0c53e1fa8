#!/usr/bin/env node
/**
 * The program that runs inside a lab's hosts: `node harness/agents/agent.ts`. Speaks protocol.ts over standard input and
 * output; runs the actors of one or several hosts over real sockets. Ends with its input.
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
  #base = process.hrtime.bigint();
  #seed = 0;
  #lines: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #stamper = new Stamper(
    () => Number((process.hrtime.bigint() - this.#base) / 1000n),
    (event) => this.#write(event),
  );

  #write(event: TraceEvent): void {
    this.#lines.push(JSON.stringify(event));
    this.#timer ??= setTimeout(() => this.#flush(), GATHER_MILLIS);
  }

  #flush(): void {
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
        const running = this.#running.get(command.who);
        if (running?.kind === 'machine') running.driver.tell(command.command);
        return;
      }
      case 'stop':
        return this.#stop(command.who, command.how);
      case 'audit': {
        const running = this.#running.get(command.who);
        if (running?.kind === 'program') await running.program.audit(command.moment);
        return;
      }
      case 'exit':
        this.end();
    }
  }

  async #start(who: string, actor: ActorSpec<Address>, bind: string, watch: boolean): Promise<void> {
    const say = (event: Happening): void => this.#stamper.say(who, event);
    const known = this.#running.get(who);
    if (known?.kind === 'program') return known.program.start();
    if (actor.kind === 'program') {
      const program = new Program(actor, say);
      this.#running.set(who, { kind: 'program', program });
      return program.start();
    }
    const name = connNames();
    const machine = makeActor(actor, { name, seed: this.#seed, who, port: 0 });
    const wire = watch ? { watch: new TraceWire(say) } : {};
    const clock = (): number => Number((process.hrtime.bigint() - this.#base) / 1000n) / 1000;
    // What a client decided is dated by its own clock: the wait between a loss and the next dial is judged to the millisecond.
    const report = (event: Happening, now: number): void =>
      event.type.startsWith('client.') ? this.#stamper.sayAt(who, now * 1000, event) : say(event);
    const driver = new NodeDriver(machine, { name, report, bind, clock, ...wire });
    this.#running.set(who, { kind: 'machine', driver });
    say({ type: 'host.started', form: actor.kind });
    driver.start();
  }

  async #stop(who: string, how: 'orderly' | 'kill'): Promise<void> {
    const running = this.#running.get(who);
    if (running === undefined) return;
    if (running.kind === 'program') return running.program.stop(how);
    if (how === 'orderly') running.driver.stop();
    else {
      running.driver.destroy();
      this.#running.delete(who);
      this.#stamper.say(who, { type: 'host.stopped', code: 0 });
    }
  }

  /** Everything this agent started goes with it. */
  end(): never {
    for (const running of this.#running.values()) {
      if (running.kind === 'program') running.program.kill('SIGKILL');
      else running.driver.destroy();
    }
    this.#flush();
    process.exit(0);
  }
}

const agent = new Agent();
// Ctrl-C in a terminal reaches the whole process group: the runner decides what happens then, not each agent.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('SIGTERM', () => agent.end());
process.stdout.on('error', () => agent.end());
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const command = JSON.parse(line) as AgentCommand;
  agent.perform(command).catch((error: unknown) => {
    process.stderr.write(
      `agent: ${command.do} failed: ${error instanceof Error ? error.stack : String(error)}\n`,
    );
  });
});
lines.on('close', () => agent.end());
