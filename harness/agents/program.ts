/** A program as an actor: started in a process group of its own, ready when it listens, ended as a group, audited from outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { auditGroup, listensOn } from '../measure/process-audit.ts';
import type { Happening } from '../trace/trace.ts';
import type { ActorSpec } from './actor-spec.ts';

type ProgramSpec = Extract<ActorSpec<never>, { readonly kind: 'program' }>;
const READY_MILLIS = 15_000;
const PROBE_MILLIS = 20;
const TAIL_LINES = 5;

/** A port nobody listens on now. */
const freePort = (host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, host, () => {
      const address = probe.address();
      probe.close(() =>
        address !== null && typeof address === 'object'
          ? resolve(address.port)
          : reject(new Error('no port')),
      );
    });
  });

export class Program {
  readonly #spec: ProgramSpec;
  readonly #say: (event: Happening) => void;
  #child: ChildProcess | undefined;
  #port = 0;
  #asked = false;
  #tail: string[] = [];

  constructor(spec: ProgramSpec, say: (event: Happening) => void) {
    this.#spec = spec;
    this.#say = say;
  }

  /** Starts, and again after it ended: the port stays the same. */
  async start(): Promise<void> {
    const { argv, env, host, listens } = this.#spec;
    if (listens && this.#port === 0) this.#port = await freePort(host);
    const [command, ...args] = argv.map((arg) => arg.replaceAll('{port}', String(this.#port)));
    if (command === undefined) throw new Error('a program needs a command');
    this.#asked = false;
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#output(text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#output(text));
    child.once('error', (error) => this.#say({ type: 'host.crashed', reason: error.message }));
    child.once('exit', (code, signal) => this.#exited(child, code, signal));
    this.#say({ type: 'host.started', form: `pid ${child.pid ?? 'none'}: ${argv.join(' ').slice(0, 200)}` });
    if (listens) await this.#untilListening(child);
  }

  async #untilListening(child: ChildProcess): Promise<void> {
    const deadline = performance.now() + READY_MILLIS;
    while (performance.now() < deadline) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      if (await listensOn(this.#port)) {
        this.#say({ type: 'host.ready', port: this.#port });
        return;
      }
      await delay(PROBE_MILLIS);
    }
    this.#say({
      type: 'host.crashed',
      reason: `does not listen on port ${this.#port} after ${READY_MILLIS} ms; it said: ${this.#tail.join(' | ')}`,
    });
  }

  #output(text: string): void {
    for (const line of text.split('\n')) {
      if (line.trim() === '') continue;
      this.#tail = [...this.#tail.slice(1 - TAIL_LINES), line.slice(0, 300)];
      this.#say({ type: 'host.output', text: line.slice(0, 300) });
    }
  }

  #exited(child: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#child === child) this.#child = undefined;
    if (this.#asked) this.#say({ type: 'host.stopped', code: code ?? -1 });
    else
      this.#say({
        type: 'host.crashed',
        reason: `${signal ?? `exit code ${code}`}; last said: ${this.#tail.join(' | ')}`,
      });
  }

  /** Ends the whole group; resolves when the program itself is gone. */
  async stop(how: 'orderly' | 'kill'): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    this.#asked = true;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    this.kill(how === 'kill' ? 'SIGKILL' : 'SIGTERM');
    await gone;
  }

  /** Signals the group without waiting: also the last thing a dying agent does. */
  kill(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // The group is gone already: that is what was wanted.
    }
  }

  async audit(moment: 'before' | 'after' | 'sample'): Promise<void> {
    const pid = this.#child?.pid;
    const books = pid === undefined ? undefined : await auditGroup(pid);
    this.#say({
      type: 'audit.relay',
      moment,
      ...(books ?? { fds: -1, sockets: -1, listening: -1, rssBytes: -1 }),
    });
  }
}
