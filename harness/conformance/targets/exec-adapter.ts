/**
 * A codec behind an adapter: a program that answers JSON lines, one request at a time. It lives for the whole run; when it
 * hangs, ends or breaks the protocol it is killed and started again, so that the blame falls on one request.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { AdapterHello, AdapterReply } from '../case.ts';
import { Unclear } from '../outcome.ts';
import { wordsOf } from './exec-server.ts';
import { TargetError } from './target.ts';

/** The protocol of suites/postcard/README.md. */
export const KIT_VERSION = 1;
export const ANSWER_MILLIS = 10_000;
const HELLO_MILLIS = 60_000;
export const RESTARTS_MAX = 20;
/** Data of the adapter's process: what an allocation bomb runs into instead of the machine. */
const MEMORY_KIB = 2 * 1024 * 1024;
const LINE_CHARS = 64 * 1024 * 1024;
const STDERR_CHARS = 4_096;
const SHOWN_CHARS = 200;

type Fields = Readonly<Record<string, unknown>>;
type Line =
  | { readonly type: 'line'; readonly text: string }
  | { readonly type: 'ended'; readonly text: string };

/** What some languages' line readers take for the end of a line, and JSON does not escape by itself. */
const escaped = (json: string): string =>
  json.replace(/[\u0085\u2028\u2029]/g, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);

const shown = (text: string): string =>
  text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}... (${text.length} characters)` : text;

/** One run of the program: lines in, lines out. */
class Child {
  readonly #child: ChildProcess;
  #stderr = '';
  #rest: string[] = [];
  #restChars = 0;
  #ended: string | undefined;
  #waiting: ((line: Line) => void) | undefined;
  /** Lines that came before anybody asked. */
  readonly stray: string[] = [];

  constructor(words: readonly string[]) {
    const limited =
      process.platform === 'win32'
        ? words
        : ['sh', '-c', `ulimit -d ${MEMORY_KIB} 2>/dev/null; exec "$@"`, 'sh', ...words];
    const [program, ...args] = limited as [string, ...string[]];
    this.#child = spawn(program, args, { detached: process.platform !== 'win32', stdio: 'pipe' });
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#heard(text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARS);
    });
    this.#child.once('error', (error) => this.#over(error.message));
    // 'close' comes after the last output, which an answer may be part of
    this.#child.once('close', (code, signal) => this.#over(`ended with ${signal ?? `exit code ${code}`}`));
  }

  /** The next line, how the program ended, or undefined after `millis`. */
  next(millis: number): Promise<Line | undefined> {
    if (this.#ended !== undefined) return Promise.resolve({ type: 'ended', text: this.#ended });
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#hand(undefined), millis);
      this.#waiting = (line: Line | undefined) => {
        clearTimeout(timer);
        resolve(line);
      };
    });
  }

  say(request: Fields): void {
    this.#child.stdin?.write(`${escaped(JSON.stringify(request))}\n`);
  }

  async kill(): Promise<void> {
    if (this.#ended !== undefined) return;
    const gone = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
    } catch {
      // the group is gone already
    }
    await gone;
  }

  #hand(line: Line | undefined): void {
    const waiting = this.#waiting as ((line: Line | undefined) => void) | undefined;
    this.#waiting = undefined;
    waiting?.(line);
  }

  #heard(text: string): void {
    const lines = text.split('\n');
    for (const [i, piece] of lines.entries()) {
      this.#rest.push(piece);
      this.#restChars += piece.length;
      if (i === lines.length - 1 && this.#restChars <= LINE_CHARS) return;
      const line = this.#rest.join('').trim();
      this.#rest = [];
      this.#restChars = 0;
      if (line === '') continue;
      if (this.#waiting === undefined) this.stray.push(line);
      else this.#hand({ type: 'line', text: line });
    }
  }

  #over(how: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = `${how}${this.#stderr.trim() === '' ? '' : `; it said: ${this.#stderr.trim().slice(-400)}`}`;
    this.#hand({ type: 'ended', text: this.#ended });
  }
}

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export class ExecAdapter {
  readonly #command: string;
  readonly #answerMillis: number;
  #child: Child | undefined;
  #hello: AdapterHello | undefined;
  #id = 0;
  #restarts = 0;
  #closed = false;

  private constructor(command: string, answerMillis: number) {
    this.#command = command;
    this.#answerMillis = answerMillis;
  }

  /** @throws TargetError when it does not say hello: what was tried, what it said, what to do */
  static async start(command: string, answerMillis = ANSWER_MILLIS): Promise<ExecAdapter> {
    const adapter = new ExecAdapter(command, answerMillis);
    await adapter.#begin();
    return adapter;
  }

  get hello(): AdapterHello {
    return this.#hello as AdapterHello;
  }

  get answerMillis(): number {
    return this.#answerMillis;
  }

  async ask(request: Fields): Promise<AdapterReply> {
    const child = this.#child ?? (await this.#again());
    const id = ++this.#id;
    const { stray } = child;
    if (stray.length > 0)
      return this.#failed('breach', `a line that nobody asked for: ${shown(stray[0] as string)}`);
    child.say({ id, ...request });
    const line = await child.next(this.#answerMillis);
    if (line === undefined) return this.#failed('hang', `no answer within ${this.#answerMillis / 1_000} s`);
    if (line.type === 'ended') return this.#failed('crash', `the adapter ${line.text}`);
    let fields: unknown;
    try {
      fields = JSON.parse(line.text);
    } catch (error) {
      return this.#failed('breach', `no JSON (${(error as Error).message}): ${shown(line.text)}`);
    }
    if (!isRecord(fields)) return this.#failed('breach', `no JSON object: ${shown(line.text)}`);
    if (fields.id !== id)
      return this.#failed('breach', `an answer to request ${JSON.stringify(fields.id)}, asked was ${id}`);
    return { type: 'answer', fields };
  }

  /** A fresh process; does not count as one that was needed. */
  async restart(): Promise<void> {
    await this.#child?.kill();
    await this.#begin();
  }

  /** Ends it, whatever it is doing; whoever waits for an answer hears of a crash. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#child?.kill();
    this.#child = undefined;
  }

  async #failed(type: 'crash' | 'hang' | 'breach', text: string): Promise<AdapterReply> {
    await this.#child?.kill();
    this.#child = undefined;
    return { type, text };
  }

  async #again(): Promise<Child> {
    if (this.#closed) throw new Unclear('the run was ended');
    if (this.#restarts >= RESTARTS_MAX)
      throw new Unclear(`given up: the adapter had to be started again ${RESTARTS_MAX} times`, 'target');
    this.#restarts++;
    try {
      return await this.#begin();
    } catch (error) {
      throw new Unclear(`the adapter did not come up again: ${(error as Error).message}`, 'target');
    }
  }

  async #begin(): Promise<Child> {
    const child = new Child(wordsOf(this.#command));
    this.#child = child;
    const id = ++this.#id;
    child.say({ id, op: 'hello', kit: KIT_VERSION });
    const line = await child.next(HELLO_MILLIS);
    const refuse = async (what: string): Promise<never> => {
      await child.kill();
      this.#child = undefined;
      throw new TargetError(
        `${this.#command} does not say hello: ${what}.\nIt must read one JSON object a line and answer each with one; to {"id":${id},"op":"hello","kit":${KIT_VERSION}} with {"id":${id},"name":"...","version":"...","lacks":[]}.`,
      );
    };
    if (line === undefined) return refuse(`no line within ${HELLO_MILLIS / 1_000} s`);
    if (line.type === 'ended') return refuse(`it ${line.text}`);
    let fields: unknown;
    try {
      fields = JSON.parse(line.text);
    } catch {
      return refuse(`no JSON: ${shown(line.text)}`);
    }
    if (!isRecord(fields) || fields.id !== id || typeof fields.name !== 'string')
      return refuse(`expected an object with id ${id} and a name, got ${shown(line.text)}`);
    const { name, version, lacks = [] } = fields;
    if (!Array.isArray(lacks) || lacks.some((one) => typeof one !== 'string'))
      return refuse(`lacks: expected an array of strings, got ${shown(JSON.stringify(lacks))}`);
    this.#hello = { name, version: String(version ?? ''), lacks: new Set(lacks as string[]) };
    return child;
  }
}
