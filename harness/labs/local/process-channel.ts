/** An agent as a child process: commands down its standard input, trace events up its standard output. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { AgentCommand } from '../../agents/protocol.ts';
import type { TraceEvent } from '../../trace/trace.ts';
import { compileCache } from '../compile-cache.ts';
import type { AgentChannel } from '../ground.ts';

const AGENT = fileURLToPath(new URL('../../agents/agent.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const EXIT_MILLIS = 3_000;
const TAIL_LINES = 5;
/** `host.started` of a program says this first: the group that dies with its agent. */
const PROGRAM = /^pid (\d+): /;

export class ProcessChannel implements AgentChannel {
  onEvent: (event: TraceEvent) => void = () => {};
  onGone: (reason: string) => void = () => {};
  /** Programs the agent runs, by actor. They outlive an agent that is killed, so whoever killed it is cleaned up after. */
  readonly programs = new Map<string, number>();
  readonly #child: ChildProcess;
  #closing = false;
  #over = false;
  #said: string[] = [];

  /** @param inside command that puts what follows it into a place of its own (`ip netns exec NAME`); it must become the agent */
  constructor(inside: readonly string[] = []) {
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', AGENT];
    const [command, ...args] = [...inside, ...node] as [string, ...string[]];
    this.#child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...compileCache(ROOT) },
    });
    const { stdin, stdout, stderr } = this.#child;
    // A dead agent is told by `exit`; the pipe's own error adds nothing.
    stdin?.on('error', () => {});
    if (stdout !== null) createInterface({ input: stdout }).on('line', (line) => this.#heard(line));
    if (stderr !== null)
      createInterface({ input: stderr }).on('line', (line) => {
        this.#said = [...this.#said.slice(1 - TAIL_LINES), line.slice(0, 500)];
      });
    this.#child.once('error', (error) => this.#gone(`cannot be started: ${error.message}`));
    this.#child.once('exit', (code, signal) => {
      const said = this.#said.length === 0 ? '' : `; last said: ${this.#said.join(' | ')}`;
      this.#gone(`${signal ?? `exit code ${code}`}${said}`);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  #heard(line: string): void {
    let event: TraceEvent;
    try {
      event = JSON.parse(line);
      if (typeof event?.type !== 'string') throw new Error('no type');
    } catch {
      // It cannot be trusted any more: what it says is the trace.
      this.#gone(`wrote what is no trace event: ${line.slice(0, 200)}`);
      this.#child.kill('SIGKILL');
      return;
    }
    if (event.type === 'host.started') {
      const pid = PROGRAM.exec(event.form)?.[1];
      if (pid !== undefined) this.programs.set(event.who, Number(pid));
    } else if (event.type === 'host.stopped' || event.type === 'host.crashed')
      this.programs.delete(event.who);
    this.onEvent(event);
  }

  #gone(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#closing) return;
    for (const pid of this.programs.values()) killGroup(pid);
    this.programs.clear();
    this.onGone(reason);
  }

  send(command: AgentCommand): void {
    if (!this.#closing && !this.#over) this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
  }

  /** Ends the agent and everything it started; one that minds neither its input's end nor time is killed. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#over || this.#child.pid === undefined) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin?.end();
    const timer = setTimeout(() => {
      this.#child.kill('SIGKILL');
      for (const pid of this.programs.values()) killGroup(pid);
    }, EXIT_MILLIS);
    await gone;
    clearTimeout(timer);
  }

  /** Lets go of the agent: it goes on without us, and does not hold our own process any more. */
  leave(): void {
    this.send({ do: 'keep' });
    this.#closing = true;
    const { stdin, stdout, stderr } = this.#child;
    stdin?.end();
    stdout?.destroy();
    stderr?.destroy();
    this.#child.unref();
  }
}

const killGroup = (pid: number): void => {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is gone already: that is what was wanted.
  }
};
