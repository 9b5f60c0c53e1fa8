/** A program as an actor: started in a process group of its own, ready when it listens, ended as a group, audited from outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { auditGroup, listensOn } from '../measure/process-audit.ts';
import type { Happening } from '../trace/trace.ts';
import type { ActorSpec } from './actor-spec.ts';
import { freePort, isFree } from './free-port.ts';
import { ProgramOutput } from './program-output.ts';

type ProgramSpec = Extract<ActorSpec<never>, { readonly kind: 'program' }>;

/** How long is waited for what. Tests shorten them. */
export type ProgramPatience = {
  /** To listen. */
  readonly readyMillis: number;
  /** To end after SIGTERM, before SIGKILL. */
  readonly stopMillis: number;
};
const PATIENCE: ProgramPatience = { readyMillis: 15_000, stopMillis: 5_000 };
const PROBE_MILLIS = 20;
/** The last words of a process may still be in the pipe when it is gone; a child of it may hold the pipe open for ever. */
const LAST_WORDS_MILLIS = 200;

/** One life of the program. */
type Life = {
  readonly child: ChildProcess;
  /** We ended it. */
  asked: boolean;
  over: boolean;
  /** Resolves when it is gone and that has been said. */
  readonly told: Promise<void>;
};

/**
 * Says `host.started`, then `host.ready` once its port is listened on, `host.output` for what it prints, and in the end
 * `host.stopped` (it was asked to) or `host.crashed` with signal or exit code and its last words.
 */
export class Program {
  readonly #spec: ProgramSpec;
  readonly #say: (event: Happening) => void;
  readonly #patience: ProgramPatience;
  readonly #output: ProgramOutput;
  #life: Life | undefined;
  #port = 0;

  constructor(spec: ProgramSpec, say: (event: Happening) => void, patience = PATIENCE) {
    this.#spec = spec;
    this.#say = say;
    this.#patience = patience;
    this.#output = new ProgramOutput(
      (text) => say({ type: 'host.output', text }),
      () => performance.now(),
    );
  }

  /** Process group while it runs. */
  get pid(): number | undefined {
    return this.#life?.over === false ? this.#life.child.pid : undefined;
  }

  /** Whether the port it was given is taken by somebody else, now that it is gone. */
  async isPortTaken(): Promise<boolean> {
    return this.#port !== 0 && this.pid === undefined && !(await isFree(this.#spec.host, this.#port));
  }

  /** Starts, and again after it ended: the port stays the same. One that runs already is only asked whether it listens. */
  async start(): Promise<void> {
    const { host, listens } = this.#spec;
    // One that is being ended is waited for: two on one port would be a crash that nobody caused.
    if (this.#life?.asked === true) await this.#life.told;
    if (listens && this.#port === 0) this.#port = await freePort(host);
    if (this.#life === undefined || this.#life.over) this.#life = this.#begin();
    if (listens) await this.#untilListening(this.#life);
  }

  #begin(): Life {
    const { argv, env } = this.#spec;
    const [command, ...args] = argv.map((arg) => arg.replaceAll('{port}', String(this.#port)));
    if (command === undefined) throw new Error('a program needs a command');
    this.#output.begin();
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream]?.setEncoding('utf8').on('data', (text: string) => this.#output.push(stream, text));
    const told = Promise.withResolvers<void>();
    const life: Life = { child, asked: false, over: false, told: told.promise };
    const over = (event: () => Happening): void => {
      if (life.over) return;
      life.over = true;
      this.#output.end();
      this.#say(event());
      told.resolve();
    };
    child.once('error', ({ message }) => over(() => ({ type: 'host.crashed', reason: message })));
    child.once('exit', async (code, signal) => {
      if (!streamsEnded(child))
        await Promise.race([
          new Promise((resolve) => child.once('close', resolve)),
          delay(LAST_WORDS_MILLIS),
        ]);
      over(() =>
        life.asked
          ? { type: 'host.stopped', code: code ?? -1 }
          : { type: 'host.crashed', reason: `${signal ?? `exit code ${code}`}${this.#lastWords()}` },
      );
    });
    if (child.pid !== undefined)
      this.#say({ type: 'host.started', form: `pid ${child.pid}: ${argv.join(' ').slice(0, 200)}` });
    return life;
  }

  #lastWords(): string {
    return this.#output.lastWords === '' ? ', said nothing' : `; last said: ${this.#output.lastWords}`;
  }

  async #untilListening(life: Life): Promise<void> {
    const { readyMillis } = this.#patience;
    const deadline = performance.now() + readyMillis;
    while (!life.over && !life.asked && life.child.exitCode === null && life.child.signalCode === null) {
      if (await listensOn(this.#port)) {
        if (!life.over) this.#say({ type: 'host.ready', port: this.#port });
        return;
      }
      if (performance.now() >= deadline) {
        // Whoever does not listen is of no use, and would be started beside by the next `start`.
        life.asked = true;
        const reason = `does not listen on port ${this.#port} after ${readyMillis} ms${this.#lastWords()}`;
        this.#say({ type: 'host.crashed', reason });
        signalGroup(life.child, 'SIGKILL');
        return;
      }
      await delay(PROBE_MILLIS);
    }
  }

  /** Ends the whole group; resolves when the program is gone. One that minds no SIGTERM is killed after five seconds. */
  async stop(how: 'orderly' | 'kill'): Promise<void> {
    const life = this.#life;
    if (life === undefined || life.over) return;
    life.asked = true;
    signalGroup(life.child, how === 'kill' ? 'SIGKILL' : 'SIGTERM');
    const timer = setTimeout(() => signalGroup(life.child, 'SIGKILL'), this.#patience.stopMillis);
    await life.told;
    clearTimeout(timer);
    // What it left behind in its group would keep the port.
    signalGroup(life.child, 'SIGKILL');
  }

  /** Signals the group without waiting: the last thing a dying agent does. */
  kill(signal: NodeJS.Signals): void {
    if (this.#life !== undefined) signalGroup(this.#life.child, signal);
  }

  /** Says what the group holds; -1 where that cannot be read (no /proc, not running). */
  async audit(moment: 'before' | 'after' | 'sample'): Promise<void> {
    const { pid } = this;
    const books = pid === undefined ? undefined : await auditGroup(pid);
    this.#say({
      type: 'audit.relay',
      moment,
      ...(books ?? { fds: -1, sockets: -1, listening: -1, rssBytes: -1 }),
    });
  }
}

const streamsEnded = ({ stdout, stderr }: ChildProcess): boolean =>
  stdout?.readableEnded !== false && stderr?.readableEnded !== false;

const signalGroup = ({ pid }: ChildProcess, signal: NodeJS.Signals): void => {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already: that is what was wanted.
  }
};
