/** The control channel of an agent in a container: JSON lines over the streams of one `exec`. */
import type Docker from 'dockerode';
import type { AgentCommand } from '../../agents/protocol.ts';
import type { TraceEvent } from '../../trace/trace.ts';
import type { AgentChannel } from '../ground.ts';
import { LabError } from '../lab.ts';
import { Attached } from './attach.ts';

export type ChannelSpec = {
  /** Host the agent is of, for messages. */
  readonly host: string;
  readonly container: string;
  readonly command: readonly string[];
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
};

/** How long an agent has for its orderly end before its container is removed under it. */
const CLOSE_MILLIS = 3000;

export class DockerChannel implements AgentChannel {
  onEvent: (event: TraceEvent) => void = () => undefined;
  readonly #host: string;
  #attached: Attached | undefined;
  #closing = false;
  /** Why the agent is lost, once it is. */
  #reason: string | undefined;
  #onGone: ((reason: string) => void) | undefined;

  private constructor(host: string) {
    this.#host = host;
  }

  /** Starts the agent. @throws LabError */
  static async open(docker: Docker, spec: ChannelSpec): Promise<DockerChannel> {
    const channel = new DockerChannel(spec.host);
    try {
      channel.#attached = await Attached.start(docker, {
        ...spec,
        onLine: (line) => channel.#heard(line),
        onEnd: ({ code, said }) => {
          const last = said.length === 0 ? '' : `; it said: ${said.join(' | ')}`;
          if (code === undefined) channel.#gone(`its container or the engine is gone${last}`);
          else channel.#gone(`it ended with code ${code}${last}`);
        },
      });
    } catch (error) {
      throw new LabError(`the agent of ${spec.host} cannot be started`, 'is the engine still there?', {
        cause: error,
      });
    }
    return channel;
  }

  get onGone(): (reason: string) => void {
    return this.#onGone ?? (() => undefined);
  }

  /** An agent that was lost before anybody listened is reported to the first who does. */
  set onGone(listener: (reason: string) => void) {
    const first = this.#onGone === undefined;
    this.#onGone = listener;
    if (first && this.#reason !== undefined) queueMicrotask(() => this.onGone(this.#reason as string));
  }

  #heard(line: string): void {
    if (this.#reason !== undefined || line === '') return;
    let event: TraceEvent;
    try {
      event = JSON.parse(line);
    } catch {
      this.#gone(`it wrote something that is no trace event: ${line.slice(0, 200)}`);
      return;
    }
    this.onEvent(event);
  }

  #gone(how: string): void {
    if (this.#closing || this.#reason !== undefined) return;
    this.#reason = `the agent of ${this.#host} is lost: ${how}`;
    this.#onGone?.(this.#reason);
  }

  send(command: AgentCommand): void {
    this.#attached?.write(`${JSON.stringify(command)}\n`);
  }

  /** Lets go of the agent without asking it to end. */
  async leave(): Promise<void> {
    this.#closing = true;
    await this.#attached?.end(0);
  }

  /** Asks the agent to end and waits for it, for three seconds at most. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.send({ do: 'exit' });
    await this.#attached?.end(CLOSE_MILLIS);
  }
}
