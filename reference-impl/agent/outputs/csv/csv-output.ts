import { constants, writeSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { Backoff, type Schedule } from '../../../backoff/schedule.ts';
import { rngFor } from '../../../machine/rng.ts';
import type { Batch } from '../../../measurement-relay/messages.ts';
import type { MetricRegistry } from '../../../measurement-relay/metrics.ts';
import { AgentError, reasonOf } from '../../agent-error.ts';
import type { Clock } from '../../pipeline/clock.ts';
import type { Output } from '../../pipeline/element.ts';
import type { Log } from '../../plugin.ts';
import { CsvRows } from './csv-rows.ts';
import { attributeKeys, COLUMNS, type CsvFormat, fieldsOf, headerLine, LATE } from './csv-text.ts';

export type CsvConfig = CsvFormat & {
  readonly path: string;
  /** Every batch is in the file (the kernel has it) before the next one is taken. */
  readonly forceFlush: boolean;
  readonly retry: Schedule;
  /** How long the end waits for a disk that does not take what is left. */
  readonly endMillis: number;
};

/** What is held before it is written, without `forceFlush`. */
const HELD_BYTES_MAX = 65_536;
/** What is written at once of a large batch. */
const BUFFER_BYTES = 4 * HELD_BYTES_MAX;
/** UTF-8 of one UTF-16 unit, at most. */
const BYTES_A_CHAR_MAX = 3;
const HEADER_BYTES_MAX = 1 << 20;
const TAIL_BYTES = 65_536;
/** A pipe whose reader is slow is asked again after so long, and told of after so many times. */
const PIPE_MILLIS = 20;
const PIPE_TURNS_UNTOLD = 50;
/** Errors that pass when somebody makes room or the device comes back. */
const PASSING: ReadonlySet<string | undefined> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'EAGAIN',
  'ENOMEM',
  'EINTR',
  'EFBIG',
]);

const errorCode = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/**
 * A pipe or device is opened for writing only, or a pipe would be its own reader and never say that the other one has gone; one that
 * nobody reads yet waits for whoever will. It never keeps a thread waiting: the process could not end before that thread.
 */
const openFile = async (path: string): Promise<FileHandle> => {
  const { O_APPEND, O_CREAT, O_NONBLOCK, O_RDWR, O_WRONLY } = constants;
  const there = await stat(path).catch(() => undefined);
  if (there === undefined || there.isFile()) return open(path, O_RDWR | O_CREAT | O_APPEND, 0o644);
  try {
    return await open(path, O_WRONLY | O_APPEND | O_NONBLOCK);
  } catch (error) {
    if (!there.isFIFO() || errorCode(error) !== 'ENXIO') throw error;
    return open(path, O_RDWR | O_APPEND | O_NONBLOCK);
  }
};

/**
 * Measurements as a CSV file with Alumet's columns. An existing file goes on with its own columns; a line that a crash has torn is
 * cut off. A disk that is full is asked again and again while whoever measures waits: nothing is left out.
 */
export class CsvOutput implements Output {
  readonly name = 'csv/out';
  readonly #config: CsvConfig;
  readonly #registry: MetricRegistry;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  #file: FileHandle | undefined;
  #rows: CsvRows | undefined;
  /** Used again and again: one made anew for each batch costs more than the text in it. */
  #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #view = new DataView(this.#buffer.buffer);
  #heldBytes = 0;
  /**
   * A file of its own is written without a detour through another thread: the kernel only copies. With the detour, whatever arrives
   * meanwhile lives long enough to be moved by the garbage collector. Devices may take their time, so they get the thread.
   */
  #isRegular = false;
  #closing = false;
  #wake: (() => void) | undefined;

  constructor(config: CsvConfig, registry: MetricRegistry, log: Log, clock: Clock) {
    this.#config = config;
    this.#registry = registry;
    this.#log = log;
    this.#clock = clock;
    this.#backoff = new Backoff(config.retry, rngFor(process.pid, this.name));
  }

  async open(): Promise<void> {
    const { path } = this.#config;
    try {
      this.#file = await openFile(path);
    } catch (error) {
      throw this.#unusable('a file that can be written', error);
    }
    const opened = await this.#file.stat();
    this.#isRegular = opened.isFile();
    if (this.#isRegular && opened.size > 0) await this.#goOn(this.#file, opened.size);
  }

  async write({ points, origin }: Batch): Promise<void> {
    if (points.length === 0) return;
    if (this.#rows === undefined) {
      const keys = attributeKeys(points);
      this.#hold(headerLine(keys, this.#config));
      this.#rows = new CsvRows(this.#config, keys, this.#registry);
    }
    // whoever sent a batch with an origin forgets it when this resolves
    const now = this.#config.forceFlush || origin !== undefined;
    for (let next = 0; next < points.length; ) {
      next = this.#rows.put(points, next, this.#view, this.#heldBytes);
      this.#heldBytes = this.#rows.end;
      const left = points[next];
      if (left !== undefined || this.#heldBytes >= HELD_BYTES_MAX)
        await this.#bringOut(Number.POSITIVE_INFINITY);
      if (left !== undefined) this.#makeRoom(this.#rows.bytesOf(left));
    }
    if (now) await this.#bringOut(Number.POSITIVE_INFINITY);
  }

  async flush(): Promise<void> {
    await this.#bringOut(this.#clock.now() + this.#config.endMillis);
  }

  /** Whoever still waits for the disk is told with OUTPUT_CLOSED. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#wake?.();
    await this.#file?.close();
    this.#file = undefined;
  }

  #hold(text: string): void {
    this.#makeRoom(text.length * BYTES_A_CHAR_MAX);
    this.#heldBytes += this.#buffer.write(text, this.#heldBytes);
  }

  #makeRoom(bytes: number): void {
    const least = this.#heldBytes + bytes;
    if (least <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * least);
    this.#buffer.copy(larger, 0, 0, this.#heldBytes);
    this.#buffer = larger;
    this.#view = new DataView(larger.buffer);
  }

  /** @param deadline when to give up @throws AgentError OUTPUT_STUCK | OUTPUT_CLOSED | OUTPUT_FILE */
  async #bringOut(deadline: number): Promise<void> {
    if (this.#heldBytes === 0 || this.#file === undefined) return;
    let told = false;
    let pipeTurns = 0;
    while (this.#heldBytes > 0) {
      try {
        const bytesWritten = this.#isRegular
          ? writeSync(this.#file.fd, this.#buffer, 0, this.#heldBytes)
          : (await this.#file.write(this.#buffer, 0, this.#heldBytes)).bytesWritten;
        this.#buffer.copyWithin(0, bytesWritten, this.#heldBytes);
        this.#heldBytes -= bytesWritten;
        pipeTurns = 0;
      } catch (error) {
        const isSlow = errorCode(error) === 'EAGAIN' && ++pipeTurns !== PIPE_TURNS_UNTOLD;
        told ||= !isSlow;
        await this.#pause(error, this.#heldBytes, deadline, isSlow);
      }
    }
    this.#backoff.succeeded(this.#clock.now());
    if (told)
      this.#log.info(`${this.name}: ${this.#config.path} takes measurements again, nothing was left out`);
  }

  /** @param isSlow a reader that is no trouble yet: nothing is logged */
  async #pause(error: unknown, bytesLeft: number, deadline: number, isSlow: boolean): Promise<void> {
    const { retry, path } = this.#config;
    const left = `${bytesLeft} bytes that are not in ${path}: ${reasonOf(error)}`;
    const lost = (code: string, expected: string): AgentError =>
      new AgentError({
        code,
        where: this.name,
        expected,
        got: left,
        hint: 'make room, or choose another output_path',
        cause: error,
      });
    const isClosed = (): AgentError =>
      lost('OUTPUT_CLOSED', 'all measurements in the file before it was closed');
    if (this.#closing) throw isClosed();
    if (!PASSING.has(errorCode(error))) throw this.#unusable('a file that takes measurements', error);
    const now = this.#clock.now();
    if (now >= deadline) throw lost('OUTPUT_STUCK', 'all measurements in the file before the end');
    const isPipe = errorCode(error) === 'EAGAIN';
    const wait = isPipe ? PIPE_MILLIS : (this.#backoff.failed(now) ?? retry.capMillis);
    if (!isSlow)
      this.#log.error(
        { waitMillis: wait },
        `${this.name}: ${reasonOf(error)}; whoever measures waits until ${path} has room`,
      );
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.wake(now + wait, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#wake = undefined;
    if (this.#closing) throw isClosed();
  }

  #unusable(expected: string, error: unknown): AgentError {
    return new AgentError({
      code: 'OUTPUT_FILE',
      where: 'plugins.csv.output_path',
      expected,
      got: reasonOf(error),
      hint: 'give the path of a file in a folder that exists and may be written',
      cause: error,
    });
  }

  /** Takes over the columns of a file that is there, and cuts off a line that has no end. */
  async #goOn(file: FileHandle, size: number): Promise<void> {
    const { delimiter, path } = this.#config;
    const head = Buffer.alloc(Math.min(size, HEADER_BYTES_MAX));
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    const end = head.subarray(0, bytesRead).indexOf(0x0a);
    if (end < 0 && size < HEADER_BYTES_MAX && this.#isTornHeader(head.toString('utf8', 0, bytesRead))) {
      await file.truncate(0);
      return;
    }
    const fields = end < 0 ? undefined : fieldsOf(head.toString('utf8', 0, end), delimiter);
    const keys = fields?.slice(COLUMNS.length, -1) ?? [];
    if (fields === undefined || fields.join('\n') !== [...COLUMNS, ...keys, LATE].join('\n'))
      throw new AgentError({
        code: 'OUTPUT_FILE',
        where: 'plugins.csv.output_path',
        expected: `a new file, or one that begins with ${COLUMNS.join(delimiter)}`,
        got: `${path} with other columns`,
        hint: 'move it away, or give another output_path or the csv_delimiter it was written with',
      });
    await this.#cutTornLine(file, size);
    this.#rows = new CsvRows(this.#config, keys, this.#registry);
  }

  #isTornHeader(text: string): boolean {
    const whole = COLUMNS.join(this.#config.delimiter);
    return whole.startsWith(text) || text.startsWith(whole);
  }

  async #cutTornLine(file: FileHandle, size: number): Promise<void> {
    const tail = Buffer.alloc(TAIL_BYTES);
    for (let end = size; end > 0; ) {
      const start = Math.max(0, end - TAIL_BYTES);
      const { bytesRead } = await file.read(tail, 0, end - start, start);
      const last = tail.subarray(0, bytesRead).lastIndexOf(0x0a);
      if (last >= 0) {
        const whole = start + last + 1;
        if (whole === size) return;
        await file.truncate(whole);
        this.#log.warn(
          `${this.name}: a line that a crash had torn was cut off the end of ${this.#config.path}`,
        );
        return;
      }
      end = start;
    }
  }
}
