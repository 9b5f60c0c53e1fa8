/** Child processes of a bench: foreign programs, and our own that answer requests. None outlives the bench. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Call, Reply } from './programs/requests.ts';

/** What a child that does not end by itself is given before SIGKILL. */
const END_MILLIS = 1_000;
const ERROR_CHARS_MAX = 400;

const living = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

const keep = (child: ChildProcess): void => {
  living.add(child);
  child.once('exit', () => living.delete(child));
};

/** Rejects when the work takes longer. */
export const within = async <Result>(
  millis: number,
  what: string,
  work: Promise<Result>,
): Promise<Result> => {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} took longer than ${millis} ms`)), millis);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
};

/** A program by its command line. It may die at any time: `said` and `ended` tell. */
export class Program {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  readonly #name: string;
  #stdout = '';
  #stderr = '';
  readonly #waiting = new Set<() => void>();

  /** @param env what it gets beside the environment of this process */
  constructor(command: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const [file = '', ...args] = command;
    this.#name = file.slice(file.lastIndexOf('/') + 1);
    this.child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    keep(this.child);
    this.child.stdin?.on('error', () => {});
    this.child.stdout?.on('data', (bytes: Buffer) => {
      this.#stdout += bytes.toString();
      this.#wake();
    });
    this.child.stderr?.on('data', (bytes: Buffer) => {
      this.#stderr = (this.#stderr + bytes.toString()).slice(-ERROR_CHARS_MAX);
    });
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => {
        this.#stderr += String(error);
        resolve();
      });
      this.child.once('exit', () => resolve());
    });
    void this.ended.then(() => this.#wake());
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  get running(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Its state and its last words. */
  get epitaph(): string {
    return `${this.#name} ${this.running ? 'runs' : 'ended'}: ${this.#stderr.trim() || 'without a word'}`;
  }

  tell(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  /** The next part of stdout that matches, taken away with all before it. @throws Error when it ends first, or says nothing in time */
  async said(pattern: RegExp, millis: number): Promise<RegExpExecArray> {
    const look = async (): Promise<RegExpExecArray> => {
      for (;;) {
        const match = pattern.exec(this.#stdout);
        if (match !== null) {
          this.#stdout = this.#stdout.slice(match.index + match[0].length);
          return match;
        }
        if (!this.running) throw new Error(this.epitaph);
        await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
    };
    return within(millis, `${this.#name}: ${pattern}`, look());
  }

  async stop(): Promise<void> {
    if (!this.running) return;
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), END_MILLIS);
    await this.ended;
    clearTimeout(timer);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** A program of this folder that answers requests, one at a time or many. */
export class Helper<Request> {
  readonly #child: ChildProcess;
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>();
  #last = 0;

  /** @param file in `programs/` */
  constructor(file: string) {
    this.#child = fork(fileURLToPath(new URL(`programs/${file}`, import.meta.url)), { stdio: 'inherit' });
    keep(this.#child);
    this.#child.on('message', (reply: Reply) => {
      const call = this.#calls.get(reply.id);
      this.#calls.delete(reply.id);
      if ('error' in reply) call?.reject(new Error(reply.error));
      else call?.resolve(reply.answer);
    });
    this.#child.once('exit', () => {
      for (const call of this.#calls.values()) call.reject(new Error(`${file} ended`));
    });
  }

  async ask<Answer>(request: Request, millis = 30_000): Promise<Answer> {
    const id = ++this.#last;
    const call = Promise.withResolvers<unknown>();
    this.#calls.set(id, call);
    const message: Call<Request> = { id, request };
    this.#child.send(message);
    return (await within(millis, JSON.stringify(request), call.promise)) as Answer;
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}

/** A port that was free a moment ago. */
export const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
};
