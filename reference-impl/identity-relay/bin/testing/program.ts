import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { within } from '../../testing/live.ts';

const fileOf = (name: string): string => fileURLToPath(new URL(`../${name}.ts`, import.meta.url));

/** A folder of its own with the three programs on its PATH. */
export class Workplace {
  readonly folder = mkdtempSync(join(tmpdir(), 'strelay-'));
  readonly env: NodeJS.ProcessEnv;

  constructor() {
    this.env = { ...process.env, PATH: `${this.folder}${delimiter}${process.env.PATH}` };
    for (const name of ['strelay', 'stmgr', 'stnode']) {
      const path = join(this.folder, name);
      writeFileSync(path, `#!/bin/sh\nexec "${process.execPath}" "${fileOf(name)}" "$@"\n`);
      chmodSync(path, 0o755);
    }
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  /** A command as a POSIX shell reads it. */
  shell(script: string): Program {
    return new Program('/bin/sh', ['-c', script], this);
  }

  run(name: string, ...args: readonly string[]): Program {
    return new Program(process.execPath, [fileOf(name), ...args], this);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A child process, what it said so far, and how it ended. */
export class Program {
  readonly child: ChildProcess;
  readonly exit: Promise<number>;
  stdout = '';
  stderr = '';

  constructor(command: string, args: readonly string[], { folder, env }: Workplace) {
    this.child = spawn(command, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.on('data', (bytes: Buffer) => {
      this.stdout += bytes.toString();
    });
    this.child.stderr?.on('data', (bytes: Buffer) => {
      this.stderr += bytes.toString();
    });
    this.exit = new Promise((resolve) => {
      this.child.on('close', (code) => resolve(code ?? -1));
    });
  }

  exited(millis = 20_000): Promise<number> {
    return within(millis, 'exit', this.exit);
  }
}
