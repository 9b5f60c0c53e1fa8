import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const AGENT = fileURLToPath(new URL('../bin/relay-agent.ts', import.meta.url));

/** Waits for a promise, but not for ever. */
export const within = async <T>(millis: number, what: string, promise: Promise<T>): Promise<T> => {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`not within ${millis} ms: ${what}`)), millis);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
};

/** Looks until something holds, with a deadline: for what an agent does but does not say. */
export const eventually = async (what: string, holds: () => boolean, millis = 60_000): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = setInterval(() => holds() && resolve(), 20);
  try {
    await within(millis, what, promise);
  } finally {
    clearInterval(look);
  }
};

/** A folder of its own for a test, with files in it. */
export const newFolder = (
  files: Readonly<Record<string, string>> = {},
): { readonly path: string; remove(): void } => {
  const path = mkdtempSync(join(tmpdir(), 'agent-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
};

export type LogLine = { readonly level: number; readonly msg: string } & Readonly<Record<string, unknown>>;

/** A test that fails midway must leave no process behind. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A program as a child process: `relay-agent` unless another command is named. Its output is held until it is asked for. */
export class Program {
  readonly child: ChildProcess;
  readonly exit: Promise<number>;
  stdout = '';
  stderr = '';

  constructor(
    args: readonly string[],
    {
      cwd,
      environment = {},
      command = [process.execPath, AGENT],
    }: {
      readonly cwd: string;
      readonly environment?: Readonly<Record<string, string>>;
      readonly command?: readonly string[];
    },
  ) {
    const { ALUMET_CONFIG: _, ...inherited } = process.env;
    this.child = spawn(command[0] as string, [...command.slice(1), ...args], {
      cwd,
      env: { ...inherited, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(this.child);
    this.child.stdout?.on('data', (bytes: Buffer) => {
      this.stdout += bytes.toString();
    });
    this.child.stderr?.on('data', (bytes: Buffer) => {
      this.stderr += bytes.toString();
    });
    this.exit = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        running.delete(this.child);
        resolve(code ?? (signal === null ? -1 : -2));
      });
    });
  }

  /** What the first match in stdout captured. */
  async said(pattern: RegExp, millis = 90_000): Promise<RegExpExecArray> {
    const found = (): RegExpExecArray | null => new RegExp(pattern, 'm').exec(this.stdout);
    try {
      await eventually(`${pattern} on stdout`, () => found() !== null, millis);
    } catch (error) {
      throw new Error(`${String(error)}\nstdout: ${this.stdout}\nstderr: ${this.stderr}`);
    }
    return found() as RegExpExecArray;
  }

  /** The first line of the log with this text. */
  async logged(text: string, millis = 90_000): Promise<LogLine> {
    const found = (): LogLine | undefined => this.log.find(({ msg }) => msg.includes(text));
    try {
      await eventually(`'${text}' in the log`, () => found() !== undefined, millis);
    } catch (error) {
      throw new Error(`${String(error)}\nstdout: ${this.stdout}\nstderr: ${this.stderr}`);
    }
    return found() as LogLine;
  }

  get log(): readonly LogLine[] {
    return this.stderr
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** An agent that runs. */
  static async agent(
    args: readonly string[],
    options: ConstructorParameters<typeof Program>[1],
  ): Promise<Program> {
    const program = new Program(args, options);
    await program.said(/^relay-agent running\n/);
    return program;
  }

  /** An agent that listens for others on any free port of loopback. */
  static async server(
    args: readonly string[],
    options: ConstructorParameters<typeof Program>[1],
    port = 0,
  ): Promise<Program & { readonly port: number }> {
    const program = await Program.agent(['--relay-in', `127.0.0.1:${port}`, ...args], options);
    const [, listening] = await program.said(/^relay-agent listening on 127\.0\.0\.1:(\d+)\n/);
    return Object.assign(program, { port: Number(listening) });
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  exited(millis = 90_000): Promise<number> {
    return within(millis, `exit\nstdout: ${this.stdout}\nstderr: ${this.stderr}`, this.exit);
  }
}

/** `sh -c` in a folder. */
export const shell = async (
  line: string,
  cwd: string,
): Promise<{ readonly code: number; readonly stdout: string }> => {
  const program = new Program([line], { cwd, command: ['/bin/sh', '-c'] });
  const code = await program.exited();
  return { code, stdout: program.stdout };
};
