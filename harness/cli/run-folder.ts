/** Where a run leaves its files: reports/<scenario>/<time>-<seed>/. */
import { createWriteStream, mkdirSync, type WriteStream, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { renderHtml } from '../report/html/render-html.ts';
import { renderJson } from '../report/json.ts';
import { renderJunit } from '../report/junit.ts';
import { renderMarkdown } from '../report/markdown.ts';
import type { ReportModel } from '../report/model.ts';
import { renderTap } from '../report/tap.ts';
import type { TraceEvent } from '../trace/trace.ts';

export class RunFolder {
  readonly path: string;
  readonly #trace: WriteStream;
  #failed: Error | undefined;

  /** @throws Error when the folder cannot be made */
  constructor(reports: string, scenario: string, seed: string, startedAt: Date) {
    const time = startedAt.toISOString().slice(0, 19).replaceAll(':', '-');
    this.path = join(reports, scenario, `${time}-${seed}`);
    mkdirSync(this.path, { recursive: true });
    this.#trace = createWriteStream(join(this.path, 'trace.ndjson'));
    this.#trace.on('error', (error) => {
      this.#failed = error;
    });
  }

  get html(): string {
    return relative(process.cwd(), join(this.path, 'report.html'));
  }

  write(event: TraceEvent): void {
    this.#trace.write(`${JSON.stringify(event)}\n`);
  }

  /** The trace is on disk. @throws Error when it could not be written */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#trace.end(resolve));
    if (this.#failed !== undefined)
      throw new Error(`the trace could not be written: ${this.#failed.message}`);
  }

  report(model: ReportModel): void {
    writeReport(this.path, model);
  }
}

/** Every page from one model, so that none differs from another. */
export const writeReport = (folder: string, model: ReportModel): void => {
  const files = {
    'report.html': renderHtml(model),
    'report.json': renderJson(model),
    'report.md': renderMarkdown(model),
    'report.tap': renderTap(model),
    'junit.xml': renderJunit(model),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
};
