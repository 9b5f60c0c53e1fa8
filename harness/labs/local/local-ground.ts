/** Processes on loopback: no root, no Docker. Each site has a public address of its own in 127/8 where the system has one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { AgentCommand } from '../../agents/protocol.ts';
import type { TraceEvent } from '../../trace/trace.ts';
import type { AgentChannel, Ground } from '../ground.ts';
import type { LabContext } from '../lab.ts';
import type { Site, Topology } from '../topology.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
/** Sites share this many agents at most: a process costs 50 MB and a fifth of a second of CPU. */
const SITE_AGENTS_MAX = 6;
const EXIT_MILLIS = 3_000;
const TAIL_LINES = 5;

class ProcessChannel implements AgentChannel {
  onEvent: (event: TraceEvent) => void = () => {};
  onGone: (reason: string) => void = () => {};
  readonly #child: ChildProcess;
  #closing = false;
  #said: string[] = [];

  constructor() {
    const agent = fileURLToPath(new URL('../../agents/agent.ts', import.meta.url));
    this.#child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', agent], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const { stdin, stdout, stderr } = this.#child;
    // A dead agent is told by `exit`; the pipe's own error adds nothing.
    stdin?.on('error', () => {});
    if (stdout !== null)
      createInterface({ input: stdout }).on('line', (line) => this.onEvent(JSON.parse(line) as TraceEvent));
    if (stderr !== null)
      createInterface({ input: stderr }).on('line', (line) => {
        this.#said = [...this.#said.slice(1 - TAIL_LINES), line];
      });
    this.#child.once('exit', (code, signal) => {
      if (!this.#closing)
        this.onGone(`${signal ?? `exit code ${code}`}; last said: ${this.#said.join(' | ')}`);
    });
  }

  send(command: AgentCommand): void {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
  }

  async close(): Promise<void> {
    this.#closing = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), EXIT_MILLIS);
    await gone;
    clearTimeout(timer);
  }
}

export class LocalGround implements Ground {
  readonly root = ROOT;
  readonly node = process.execPath;
  readonly kernelNat = undefined;
  readonly #channels = new Map<string, ProcessChannel>();
  readonly #sites: string[] = [];

  async open(topology: Topology, context: LabContext): Promise<void> {
    const agents = Math.min(SITE_AGENTS_MAX, topology.sites.length);
    context.progress(`starting ${agents + 2} processes on loopback`);
    this.#channels.set('relay', new ProcessChannel());
    this.#channels.set('users', new ProcessChannel());
    const shared = Array.from({ length: agents }, () => new ProcessChannel());
    for (const [index, site] of topology.sites.entries()) {
      this.#sites.push(site.name);
      this.#channels.set(site.name, shared[index % agents] as ProcessChannel);
    }
  }

  channel(host: string): AgentChannel {
    const channel = this.#channels.get(host);
    if (channel === undefined) throw new Error(`no host is called ${host}`);
    return channel;
  }

  /** Relay and users have addresses of their own; what is inside a site is on localhost, as a forwarder's service must be. */
  bind(host: string): string {
    if (process.platform !== 'linux') return '127.0.0.1';
    if (host === 'relay') return '127.30.0.1';
    return host === 'users' ? '127.31.0.1' : '127.0.0.1';
  }

  address(host: string): string {
    return this.bind(host);
  }

  publicHost(site: Site): string | undefined {
    if (process.platform !== 'linux') return undefined;
    const index = this.#sites.indexOf(site.name) + 1;
    return `127.10.${index >> 8}.${index & 255}`;
  }

  async close(): Promise<readonly string[]> {
    await Promise.all([...new Set(this.#channels.values())].map((channel) => channel.close()));
    return [];
  }
}
