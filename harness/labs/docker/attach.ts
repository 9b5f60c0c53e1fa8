/** One program inside a container, held by its standard streams over one connection to the engine: no call per message. */
import type { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type Docker from 'dockerode';
import { Demux } from './demux.ts';

export type AttachSpec = {
  readonly container: string;
  readonly command: readonly string[];
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A whole line of standard output, without its end. */
  readonly onLine: (line: string) => void;
  /** Called once: the program, its container or the engine is gone. `code` undefined: nobody can say. `said`: its last lines on standard error. */
  readonly onEnd: (end: { readonly code: number | undefined; readonly said: readonly string[] }) => void;
};

/** How many lines of standard error are kept for the post mortem. */
const KEPT_LINES = 8;

/** Splits what comes into lines; a half line waits. */
export const lineSplitter = (onLine: (line: string) => void): ((bytes: Buffer) => void) => {
  const decoder = new StringDecoder('utf8');
  let half = '';
  return (bytes) => {
    const lines = decoder.write(bytes).split('\n');
    lines[0] = half + (lines[0] as string);
    half = lines.pop() as string;
    for (const line of lines) onLine(line);
  };
};

export class Attached {
  readonly #stream: Duplex;
  readonly #ended: Promise<void>;

  private constructor(stream: Duplex, ended: Promise<void>) {
    this.#stream = stream;
    this.#ended = ended;
  }

  /** Starts the program. @throws what the engine answers */
  static async start(docker: Docker, spec: AttachSpec): Promise<Attached> {
    const exec = await docker.getContainer(spec.container).exec({
      Cmd: [...spec.command],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      WorkingDir: spec.folder,
      Env: Object.entries(spec.env ?? {}).map(([name, value]) => `${name}=${value}`),
    });
    const stream = await exec.start({ hijack: true, stdin: true });
    // what goes wrong with it is told once, by its end
    stream.on('error', () => undefined);
    const said: string[] = [];
    const demux = new Demux(
      lineSplitter(spec.onLine),
      lineSplitter((line) => {
        said.push(line);
        if (said.length > KEPT_LINES) said.shift();
      }),
    );
    stream.on('data', (chunk: Buffer) => demux.push(chunk));
    const ended = new Promise<void>((resolve) => {
      stream.once('close', resolve).once('end', resolve).once('error', resolve);
    }).then(async () => {
      stream.destroy();
      let code: number | undefined;
      try {
        code = (await exec.inspect()).ExitCode ?? undefined;
      } catch {
        // the container is gone, or the engine: the caller is told that nobody knows
      }
      spec.onEnd({ code, said });
    });
    return new Attached(stream, ended);
  }

  /** Writes to its standard input; after its end nothing happens. */
  write(text: string): void {
    if (this.#stream.writable) this.#stream.write(text);
  }

  /** Ends its standard input and waits for it to end, at most this long. */
  async end(millis: number): Promise<void> {
    if (this.#stream.writable) this.#stream.end();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, millis);
    });
    await Promise.race([this.#ended, late]);
    clearTimeout(timer);
    this.#stream.destroy();
  }
}
