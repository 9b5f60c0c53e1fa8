#!/usr/bin/env node
/**
 * The program that runs inside a lab's hosts: `node harness/agents/agent.ts`. Speaks protocol.ts over standard input and
 * output; runs the actors of one or several hosts over real sockets. Ends with its input, and whatever it started with it.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connNames, NodeDriver } from '../../reference-impl/drivers/node.ts';
import type { Address } from '../../reference-impl/machine/machine.ts';
import { Stamper } from '../trace/stamp.ts';
import type { Happening, TraceEvent } from '../trace/trace.ts';
import type { ActorCommand, ActorSpec } from './actor-spec.ts';
import { makeActor } from './actors.ts';
import type { Disk } from './point-store.ts';
import { Program } from './program.ts';
import type { AgentCommand } from './protocol.ts';
import { SqliteRows } from './sqlite-rows.ts';
import { StoreReader } from './store-reader.ts';
import { TraceWire } from './wire-watch.ts';

type Running =
  | { readonly kind: 'reader'; readonly reader: StoreReader }
  | { readonly kind: 'program'; readonly program: Program }
  | { readonly kind: 'machine'; readonly driver: NodeDriver<Happening, ActorCommand> };

/** What clients decide. */
const DATED = /^(client|agent)\./;
/** Tells this agent's tables from those of other runs in the same database. */
const RUN = randomBytes(4).toString('hex');
/** Lines are gathered for this long, so that a burst of events is one write. */
const GATHER_MILLIS = 5;

class Agent {
  readonly #running = new Map<string, Running>();
  /** Where machines listened: one that is started again after a kill is found where it was. */
  readonly #ports = new Map<string, number>();
  readonly #disks = new Map<string, Disk>();
  #work: string | undefined;
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
        if (running.kind === 'machine') return running.driver.tell(command.command);
        if (command.command.do === 'read') await running.reader.read();
        return;
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
        const program = new Program({ ...actor, argv: actor.argv.map((arg) => this.#placed(arg)) }, say);
        this.#running.set(who, { kind: 'program', program });
        return await program.start();
      }
      if (actor.kind === 'store-reader') return await this.#startReader(who, actor, say);
      const name = connNames();
      const machine = makeActor(actor, {
        ...{ name, seed: this.#seed, who, port: this.#ports.get(who) ?? 0 },
        ...{ disks: this.#disks, work: () => this.#workFolder(), run: RUN },
      });
      const wire = watch ? { watch: new TraceWire(say) } : {};
      const clock = (): number => Number((process.hrtime.bigint() - this.#base) / 1000n) / 1000;
      // What a client decided is dated by its own clock: the wait between a loss and the next dial is judged to the millisecond.
      const report = (event: Happening, now: number): void =>
        DATED.test(event.type) ? this.#stamper.sayAt(who, now * 1000, event) : say(event);
      const driver = new NodeDriver(machine, { name, report, bind, clock, ...wire });
      this.#running.set(who, { kind: 'machine', driver });
      say({ type: 'host.started', form: actor.kind });
      driver.start();
    } catch (error) {
      say({ type: 'host.crashed', reason: error instanceof Error ? error.message : String(error) });
    }
  }

  async #startReader(
    who: string,
    { store, table, metrics, coded }: Extract<ActorSpec<Address>, { kind: 'store-reader' }>,
    say: (event: Happening) => void,
  ): Promise<void> {
    // few agents read a database or a table, and all of them are to start quickly
    const rows =
      'sqlite' in store
        ? new SqliteRows(this.#placed(store.sqlite))
        : 'csv' in store
          ? new (await import('./csv-rows.ts')).CsvRows(this.#placed(store.csv), metrics)
          : new (await import('./postgres-rows.ts')).PostgresRows(store.postgres, this.#placed(table));
    const reader = new StoreReader(rows, coded, say);
    this.#running.set(who, { kind: 'reader', reader });
    say({ type: 'host.started', form: 'store-reader' });
    reader.start();
  }

  /** With the folder and the number of this agent where it asks for them. */
  #placed(text: string): string {
    const placed = text.includes('{work}') ? text.replaceAll('{work}', this.#workFolder()) : text;
    return placed.replaceAll('{run}', RUN);
  }

  /** Made when it is first asked for. */
  #workFolder(): string {
    this.#work ??= mkdtempSync(join(tmpdir(), 'relaylab-work-'));
    return this.#work;
  }

  async #stop(who: string, how: 'orderly' | 'kill'): Promise<void> {
    const running = this.#known(who);
    if (running.kind === 'program') return running.program.stop(how);
    if (running.kind === 'reader') return await running.reader.stop();
    if (how === 'orderly') running.driver.stop();
    else {
      running.driver.destroy();
      this.#running.delete(who);
      this.#stamper.say(who, { type: 'host.stopped', code: 0 });
    }
  }

  /** The programs it started would outlive it, and so would their files. Also the last act of an agent that breaks. */
  clearUp(): void {
    for (const running of this.#running.values())
      if (running.kind === 'program') running.program.kill('SIGKILL');
    if (this.#work !== undefined) rmSync(this.#work, { recursive: true, force: true });
  }

  /** Everything this agent started goes with it. */
  end(): never {
    for (const running of this.#running.values()) if (running.kind === 'machine') running.driver.destroy();
    this.flush();
    process.exit(0);
  }
}

const agent = new Agent();
process.on('exit', () => agent.clearUp());
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
