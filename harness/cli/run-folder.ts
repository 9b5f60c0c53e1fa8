/** Where a run leaves its files: reports/<scenario>/<time>-<seed>/. */
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join, relative } from 'node:path';
import { LabError } from '../labs/lab.ts';
import { renderHtml } from '../report/html/render-html.ts';
import { renderJson } from '../report/json.ts';
import { renderJunit } from '../report/junit.ts';
import { renderMarkdown } from '../report/markdown.ts';
import type { ReportModel } from '../report/model.ts';
import { renderTap } from '../report/tap.ts';
import type { TraceEvent } from '../trace/trace.ts';
import { UsageError } from './usage.ts';

/** Lines go to the file in pieces of this size, and whatever there is twice a second: a killed run leaves its trace. */
const PIECE_CHARS = 65_536;
const FLUSH_MILLIS = 500;
/** Runs of one second with one seed in one folder. */
const SAME_NAME_MAX = 100;

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

/** A path as people can use it from where they are. */
export const shownPath = (path: string): string => {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
};

export class RunFolder {
  readonly path: string;
  readonly #file: number;
  readonly #timer: NodeJS.Timeout;
  #lines = '';
  #failed: unknown;

  /** @throws UsageError when the folder cannot be made */
  constructor(reports: string, scenario: string, seed: string, startedAt: Date) {
    const time = startedAt.toISOString().slice(0, 19).replaceAll(':', '-');
    try {
      this.path = freshFolder(join(reports, scenario), `${time}-${seed}`);
      this.#file = openSync(join(this.path, 'trace.ndjson'), 'w');
    } catch (error) {
      throw new UsageError(
        `reports cannot be written to ${reports} (${codeOf(error)}). Give another folder with --reports.`,
      );
    }
    this.#timer = setInterval(() => this.#flush(), FLUSH_MILLIS).unref();
  }

  /** Path of the page, as to be printed. */
  get html(): string {
    return shownPath(join(this.path, 'report.html'));
  }

  write(event: TraceEvent): void {
    this.#lines += `${JSON.stringify(event)}\n`;
    if (this.#lines.length >= PIECE_CHARS) this.#flush();
  }

  #flush(): void {
    if (this.#lines === '' || this.#failed !== undefined) return;
    try {
      // A string: Node writes all of it or throws. In the simulator nothing else may run meanwhile, and nothing has to.
      const bytes = Buffer.from(this.#lines);
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    } catch (error) {
      this.#failed = error;
    }
    this.#lines = '';
  }

  /** The trace is on disk. @throws LabError when it could not be written */
  close(): void {
    clearInterval(this.#timer);
    this.#flush();
    closeSync(this.#file);
    if (this.#failed !== undefined)
      throw new LabError(
        `the trace could not be written to ${this.path} (${codeOf(this.#failed)})`,
        'is the disk full?',
      );
  }

  /** @throws LabError when a page could not be written */
  report(model: ReportModel): void {
    writeReport(this.path, model);
  }

  /** Nobody needs this run any more. */
  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** @returns a folder that was not there before: two runs in one second must not write over each other */
const freshFolder = (parent: string, name: string): string => {
  mkdirSync(parent, { recursive: true });
  for (let n = 1; ; n++) {
    const path = join(parent, n === 1 ? name : `${name}-${n}`);
    try {
      mkdirSync(path);
      return path;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || n === SAME_NAME_MAX) throw error;
    }
  }
};

/** Every page from one model, so that none differs from another. @throws LabError when one could not be written */
export const writeReport = (folder: string, model: ReportModel): void => {
  const files = {
    'report.html': renderHtml(model),
    'report.json': renderJson(model),
    'report.md': renderMarkdown(model),
    'report.tap': renderTap(model),
    'junit.xml': renderJunit(model),
  };
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  } catch (error) {
    throw new LabError(
      `the report could not be written to ${folder} (${codeOf(error)})`,
      'is the disk full?',
    );
  }
};
