/** A shell that stays open in a gateway: a command costs a millisecond or two instead of an exec of fifty. */
import { randomBytes } from 'node:crypto';
import type Docker from 'dockerode';
import { LabError } from '../lab.ts';
import { Attached } from './attach.ts';

type Running = {
  readonly mark: string;
  readonly lines: string[];
  readonly done: (code: number | undefined) => void;
};

const RUN_MILLIS = 15_000;

export class Shell {
  readonly #where: string;
  #attached: Attached | undefined;
  #running: Running | undefined;
  #gone = false;
  /** Scripts run one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(where: string) {
    this.#where = where;
  }

  /** `where`: what a person calls this container. @throws LabError */
  static async open(docker: Docker, container: string, where: string): Promise<Shell> {
    const shell = new Shell(where);
    shell.#attached = await Attached.start(docker, {
      container,
      command: ['/bin/sh'],
      folder: '/',
      onLine: (line) => shell.#heard(line),
      onEnd: () => {
        shell.#gone = true;
        shell.#running?.done(undefined);
      },
    });
    return shell;
  }

  #heard(line: string): void {
    const running = this.#running;
    if (running === undefined) return;
    if (line.startsWith(running.mark)) running.done(Number(line.slice(running.mark.length)));
    else running.lines.push(line);
  }

  /**
   * Runs a script that ends at its first failing command, and hands back what it printed. `takesMillis`: how long it is meant
   * to take.
   * @throws LabError with the script's output when a command fails, when it takes 15 s more than it is meant to, or when the gateway is gone
   */
  async run(script: string, takesMillis = 0): Promise<string> {
    const mine = this.#last.then(() => this.#run(script, RUN_MILLIS + takesMillis));
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  async #run(script: string, patienceMillis: number): Promise<string> {
    const mark = `-${randomBytes(6).toString('hex')} `;
    const lines: string[] = [];
    let timer: NodeJS.Timeout | undefined;
    const code = await new Promise<number | undefined | 'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), patienceMillis);
      this.#running = { mark, lines, done: resolve };
      if (this.#gone) resolve(undefined);
      this.#attached?.write(`( set -e\n${script}\n) 2>&1 </dev/null\nprintf '\\n${mark}%s\\n' $?\n`);
    });
    clearTimeout(timer);
    this.#running = undefined;
    const text = lines.join('\n').trim();
    if (code === 0) return text;
    const how =
      code === undefined
        ? 'is gone'
        : code === 'late'
          ? `did not answer within ${patienceMillis / 1000} s`
          : `ended with ${code}`;
    const failing = script.trim().split('\n')[0] as string;
    throw new LabError(
      `${this.#where}: the shell ${how} at "${failing}"${text === '' ? '' : `: ${text}`}`,
      'run it again with --keep and look at the container; if the engine stopped, start it',
    );
  }

  async close(): Promise<void> {
    this.#gone = true;
    await this.#attached?.end(500);
  }
}
