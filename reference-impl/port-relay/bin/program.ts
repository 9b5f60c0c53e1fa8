import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { within } from '../live.ts';

const RELAY = fileURLToPath(new URL('./relay.ts', import.meta.url));

/** The program `relay` as a child process, its lines held until they are asked for. */
export class Program {
  readonly child: ChildProcess;
  readonly exit: Promise<number>;
  stdout = '';
  stderr = '';
  #taken = 0;
  readonly #waiting = new Set<() => void>();

  /** @param shell put in front of the command in a POSIX shell, for instance `ulimit -n 64;` */
  constructor(args: readonly string[], shell?: string) {
    const command = [process.execPath, RELAY, ...args];
    this.child =
      shell === undefined
        ? spawn(command[0] as string, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
        : spawn('/bin/sh', ['-c', `${shell} exec "$@"`, 'sh', ...command], {
            stdio: ['ignore', 'pipe', 'pipe'],
          });
    this.child.stdout?.on('data', (bytes: Buffer) => {
      this.stdout += bytes.toString();
      this.#wake();
    });
    this.child.stderr?.on('data', (bytes: Buffer) => {
      this.stderr += bytes.toString();
    });
    this.exit = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        this.#wake();
        resolve(code ?? (signal === null ? -1 : -2));
      });
    });
  }

  /** The next line of stdout that matches; what it captured. */
  async said(pattern: RegExp, millis = 15_000): Promise<RegExpExecArray> {
    const look = async (): Promise<RegExpExecArray> => {
      for (;;) {
        const match = new RegExp(pattern, 'm').exec(this.stdout.slice(this.#taken));
        if (match !== null) {
          this.#taken += match.index + match[0].length;
          return match;
        }
        await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
    };
    try {
      return await within(millis, `${pattern} on stdout`, look());
    } catch (error) {
      throw new Error(`${String(error)}\nstdout: ${this.stdout}\nstderr: ${this.stderr}`);
    }
  }

  /** Starts a relay on any free port. */
  static async relay(
    args: readonly string[] = [],
    port = 0,
    shell?: string,
  ): Promise<Program & { port: number }> {
    const program = new Program([String(port), '--bind', '127.0.0.1', ...args], shell);
    const [, listening] = await program.said(/^relay listening on 127\.0\.0\.1:(\d+)\n/);
    return Object.assign(program, { port: Number(listening) });
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  exited(millis = 15_000): Promise<number> {
    return within(millis, 'exit', this.exit);
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
