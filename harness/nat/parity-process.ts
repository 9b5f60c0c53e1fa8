/** For the parity test: the processes it talks to. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { EndCommand, EndEvent } from './parity-end.ts';

const END = fileURLToPath(new URL('parity-end.ts', import.meta.url));

/** `ip netns exec NAME` before a command, or nothing. */
const within = (namespace: string | undefined): readonly string[] =>
  namespace === undefined ? [] : ['ip', 'netns', 'exec', namespace];

const start = (namespace: string | undefined, argv: readonly string[]): ChildProcessWithoutNullStreams => {
  const [file = '', ...rest] = [...within(namespace), ...argv];
  return spawn(file, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
};

/** A `parity-end.ts`, running. Events are kept, so that one that came before it was waited for is found. */
export class EndProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #events: EndEvent[] = [];
  readonly #looking = new Set<() => void>();
  #errors = '';

  constructor(namespace: string | undefined) {
    this.#child = start(namespace, [process.execPath, END]);
    this.#child.stderr.on('data', (data) => {
      this.#errors += data;
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#events.push(JSON.parse(line));
      for (const look of this.#looking) look();
    });
  }

  tell(command: EndCommand): void {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
  }

  /** Takes the first event that fits, waiting for it. @returns undefined: none came within `millis`, or before `over` */
  take(
    fits: (event: EndEvent) => boolean,
    millis: number,
    over?: AbortSignal,
  ): Promise<EndEvent | undefined> {
    return new Promise((resolve) => {
      const look = (): boolean => {
        const at = this.#events.findIndex(fits);
        if (at < 0) return false;
        done(this.#events.splice(at, 1)[0]);
        return true;
      };
      const timer = setTimeout(() => done(undefined), millis);
      const stop = (): void => done(undefined);
      const done = (event: EndEvent | undefined): void => {
        clearTimeout(timer);
        over?.removeEventListener('abort', stop);
        this.#looking.delete(look);
        resolve(event);
      };
      over?.addEventListener('abort', stop);
      this.#looking.add(look);
      look();
    });
  }

  /** The same, but it has to come. */
  async need(fits: (event: EndEvent) => boolean, what: string): Promise<EndEvent> {
    const event = await this.take(fits, 10_000);
    if (event === undefined)
      throw new Error(`${what}: nothing in 10 s; ${JSON.stringify(this.#events)} ${this.#errors}`);
    return event;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) resolve();
      this.#child.once('exit', () => resolve());
      this.#child.stdin.end();
    });
  }
}

/** A shell that stays, as the container lab has one in each gateway. Stops at the first line that fails. */
export class Shell {
  readonly #child: ChildProcessWithoutNullStreams;
  #said = '';
  #errors = '';
  #waiting: { readonly resolve: (said: string) => void; readonly reject: (error: Error) => void } | undefined;

  constructor(namespace: string) {
    this.#child = start(namespace, ['sh', '-e']);
    this.#child.stderr.on('data', (data) => {
      this.#errors += data;
    });
    this.#child.stdout.on('data', (data) => {
      this.#said += data;
      if (!this.#said.endsWith('(done)\n')) return;
      this.#waiting?.resolve(this.#said.slice(0, -'(done)\n'.length).trim());
      this.#said = '';
    });
    this.#child.on('close', (code) =>
      this.#waiting?.reject(new Error(`gateway shell: ${code} ${this.#errors}`)),
    );
  }

  /** @returns what the lines printed */
  run(lines: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#child.stdin.write(`${[...lines, 'echo "(done)"'].join('\n')}\n`);
    });
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = undefined;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) resolve();
      this.#child.once('exit', () => resolve());
      this.#child.stdin.end();
    });
  }
}
