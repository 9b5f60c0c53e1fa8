import type { FaultRow } from '../measure/faults.ts';
import type { EventOf, TraceEvent } from '../trace/trace.ts';
import { type LiveRow, LiveState } from './live-state.ts';
import { type Paint, painted, terminalText } from './paint.ts';
import { duration, whole } from './words.ts';

export type ProgressOptions = Paint & {
  /** `tty`: lines scroll away above a redrawn table. `lines`: one greppable line an event, time first (CI, pipes). */
  readonly form: 'tty' | 'lines';
};

/** Below this width a redrawn table would break: lines instead. */
export const TABLE_COLUMNS_MIN = 72;
/** At most this many lines are redrawn. */
export const FRAME_LINES_MAX = 20;
/** In CI something is said at least this often. */
export const HEARTBEAT_MICROS = 10_000_000;
/** A fault's clients count as back when nobody is missing for this long: one that falls again does not repeat the line. */
const SETTLE_MICROS = 1_000_000;
const ROWS_SHOWN_MAX = 12;
/** Width of the bars: the table is 60 columns and a bar wide. */
const BAR_WIDE = 20;
const BAR_NARROW = 10;

/**
 * What a run says while it goes on. Pure: fed with trace events, answers with lines. `event` gives the lines that stay,
 * `frame` the lines to be redrawn in place (only in form `tty`), `heartbeat` a line when CI heard nothing for ten seconds.
 */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #live = new LiveState();
  readonly #settling = new Map<number, { row: FaultRow; at: number }>();
  readonly #told = new Set<number>();
  #saidAt = 0;
  /** Islands follow each other in time that begins again with each: a line for each is all there is to watch. */
  #islands = false;
  #island = '';

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** Lines that scroll away, in order; often none. */
  event(event: TraceEvent): readonly string[] {
    if (event.type === 'crowd.declared' && event.islands > 1) this.#islands = true;
    if (this.#islands) return this.#ofIslands(event).map((line) => terminalText(line, this.#options));
    const row = this.#live.event(event);
    if (row !== undefined && !this.#told.has(row.fault))
      this.#settling.set(row.fault, { row, at: event.t + SETTLE_MICROS });
    const lines = [...this.#settled(event), ...this.#lines(event)];
    if (lines.length > 0) this.#saidAt = Math.max(this.#saidAt, event.t);
    return lines.map((line) => terminalText(line, this.#options).replaceAll('\n', ' '));
  }

  #ofIslands(event: TraceEvent): readonly string[] {
    if (event.type === 'island.began')
      this.#island = `island ${event.island}/${event.of} clients=${event.clients} sites=${event.sites} told=${event.told}`;
    else if (event.type === 'host.crashed')
      return [`${clock(event.t)} crashed ${event.who} ${quoted(event.reason)}`];
    else if (event.type === 'island.ended')
      return [`${clock(event.t)} ${this.#island} complete=${event.complete} ${quoted(event.why)}`];
    else if (event.type === 'run.ended') return this.#lines(event);
    return [];
  }

  /** Says that all are back once that has held for a moment, or at the end of the run. */
  #settled(event: TraceEvent): readonly string[] {
    if (this.#settling.size === 0) return [];
    const lines: string[] = [];
    for (const [fault, { at }] of this.#settling) {
      const now = this.#live.faults.row(fault);
      if (now === undefined || now.clientsBack < now.clientsLost) {
        this.#settling.delete(fault);
        continue;
      }
      if (event.t < at && event.type !== 'run.ended') continue;
      this.#settling.delete(fault);
      this.#told.add(fault);
      lines.push(this.#backLine(now));
    }
    return lines;
  }

  #backLine(row: FaultRow): string {
    const t = row.allBackMicros ?? 0;
    const site = row.site === '' ? 'all' : row.site;
    const many = `${row.clientsBack}/${row.clientsLost}`;
    const after = duration(row.backAfterMicros ?? 0);
    if (this.#options.form === 'lines')
      return `${clock(t)} back site=${site} fault=${row.fault} ${many} after ${after}`;
    const from = row.countedFrom === 'relay ready' ? ' from the relay’s return' : '';
    return `${clock(t)} s           ${site}: ${row.clientsBack} of ${row.clientsLost} back after ${after}${from}`;
  }

  #lines(event: TraceEvent): readonly string[] {
    const lines = this.#options.form === 'lines';
    switch (event.type) {
      case 'run.began':
        return lines
          ? [began(event)]
          : [`${event.scenario}  ${event.lab} lab (${event.labReason})  seed ${event.seed}`, ''];
      case 'run.phase':
        return lines ? [`${clock(event.t)} phase ${quoted(event.name)}`] : [];
      case 'step.unmet':
        return [
          lines
            ? `${clock(event.t)} unmet ${quoted(event.step)} why=${quoted(event.why)}`
            : `${clock(event.t)} s  not done: ${event.step}: ${event.why}`,
        ];
      case 'lab.started': {
        const after = duration(event.millis * 1000);
        return [
          lines
            ? `${clock(event.t)} lab up sites=${event.sites} in ${after}`
            : `${clock(event.t)} s  ${event.sites} sites up in ${after}`,
        ];
      }
      case 'fault.begun':
        return [
          lines
            ? `${clock(event.t)} fault ${event.fault} ${event.kind} site=${event.site === '' ? 'relay' : event.site} ${quoted(event.text)}`
            : `${clock(event.t)} s  fault ${event.fault}  ${event.site === '' ? '' : `${event.site}: `}${event.text}`,
        ];
      case 'fault.receipt':
        return [
          lines
            ? `${clock(event.t)} receipt ${event.fault} effects=${event.effects} ${quoted(event.text)}`
            : `${clock(event.t)} s  ${event.effects > 0 ? 'proof' : 'none '} ${event.fault}  ${event.text}`,
        ];
      case 'host.crashed':
        return [
          lines
            ? `${clock(event.t)} crashed ${event.who} ${quoted(event.reason)}`
            : `${clock(event.t)} s  ${event.who} ended: ${event.reason}`,
        ];
      case 'host.ready':
        return event.who === 'relay' ? [this.#readyLine(event)] : [];
      case 'client.gaveUp':
        return [
          lines
            ? `${clock(event.t)} gave-up ${event.who} attempts=${event.attempts}`
            : `${clock(event.t)} s  ${event.who} gave up after ${event.attempts} attempts`,
        ];
      case 'run.ended':
        return lines
          ? [
              `${clock(event.t)} ended complete=${event.complete}${event.why === '' ? '' : ` ${quoted(event.why)}`}`,
            ]
          : [];
    }
    return [];
  }

  #readyLine(event: EventOf<'host.ready'>): string {
    const { connected, facts } = this.#live;
    const total = facts.clients.length;
    if (this.#options.form === 'lines')
      return `${clock(event.t)} relay ready port=${event.port} connected=${connected}/${total}`;
    return `${clock(event.t)} s           relay ready, ${connected} of ${total} connected so far`;
  }

  /** The table as it is now: at most 20 lines, none wider than `columns`; nothing below 72 columns or in form `lines`. */
  frame(nowMicros: number, columns: number): readonly string[] {
    if (this.#options.form === 'lines' || columns < TABLE_COLUMNS_MIN) return [];
    if (this.#islands) return ['', this.#fit(`  ${clock(nowMicros).trim()} s  ${this.#island}`, columns)];
    const rows = this.#live.rows();
    const shown = rows.slice(0, ROWS_SHOWN_MAX);
    const bar = columns > 60 + BAR_WIDE ? BAR_WIDE : BAR_NARROW;
    const lines =
      rows.length === 0 ? [] : ['', tableHead(bar), ...shown.map((row) => this.#tableRow(row, bar))];
    if (rows.length > shown.length) lines.push(`  and ${rows.length - shown.length} more groups of sites`);
    const { tunnelsOpen, tunnelsDone, tunnelsCut, phase } = this.#live;
    if (tunnelsOpen + tunnelsDone + tunnelsCut > 0)
      lines.push(
        this.#fit(
          `  users   ${whole(tunnelsOpen)} tunnels open, ${whole(tunnelsDone)} done, ${whole(tunnelsCut)} cut short`,
          columns,
        ),
      );
    lines.push('', this.#fit(`  ${clock(nowMicros).trim()} s  ${phase}`, columns));
    lines.push(this.#fit('  Ctrl-C ends cleanly and still writes the report', columns));
    return lines.slice(0, FRAME_LINES_MAX);
  }

  #fit(line: string, columns: number): string {
    return terminalText(line, this.#options).slice(0, columns - 1);
  }

  #tableRow(row: LiveRow, bar: number): string {
    const cell = (text: string, width: number): string =>
      terminalText(text, this.#options).slice(0, width).padEnd(width);
    const number = (n: number, width: number): string => String(n).padStart(width);
    return `  ${cell(row.name, 9)} ${cell(row.nat, 8)} ${cell(row.link, 9)} ${this.#bar(row, bar)} ${number(row.on, 5)}${number(row.unaware, 8)}${number(row.retrying, 9)}${number(row.lost, 6)}`;
  }

  #bar(row: LiveRow, width: number): string {
    const cells = (n: number): number => (row.clients === 0 ? 0 : Math.round((n / row.clients) * width));
    const on = Math.min(width, cells(row.on));
    const unaware = Math.min(width - on, cells(row.unaware));
    const [full, half, gap] = this.#options.utf8 ? ['█', '▒', '·'] : ['#', '%', '.'];
    const dead = painted((half ?? '').repeat(unaware), 'magenta', this.#options);
    return `${(full ?? '').repeat(on)}${dead}${(gap ?? '').repeat(width - on - unaware)}`;
  }

  /** One line when nothing was said for ten seconds (form `lines` only); the CLI asks about once a second. */
  heartbeat(nowMicros: number): readonly string[] {
    if (this.#options.form !== 'lines' || nowMicros - this.#saidAt < HEARTBEAT_MICROS) return [];
    this.#saidAt = nowMicros;
    if (this.#islands) return [terminalText(`${clock(nowMicros)} alive ${this.#island}`, this.#options)];
    const { connected, facts, tunnelsOpen, tunnelsDone, phase } = this.#live;
    const where = phase === '' ? '' : ` phase=${quoted(phase)}`;
    return [
      terminalText(
        `${clock(nowMicros)} alive${where} connected=${connected}/${facts.clients.length} open=${tunnelsOpen} done=${tunnelsDone}`,
        this.#options,
      ),
    ];
  }
}

const tableHead = (bar: number): string =>
  `  ${'site'.padEnd(9)} ${'NAT'.padEnd(8)} ${'link'.padEnd(9)} ${'clients'.padEnd(bar)} ${'on'.padStart(5)} unaware retrying  lost`;

const clock = (micros: number): string => (micros / 1_000_000).toFixed(1).padStart(6);

/** One word for grep: no line breaks, no inner double quotes. */
const quoted = (text: string): string => `"${text.replace(/\s+/g, ' ').replaceAll('"', "'")}"`;

const began = (event: EventOf<'run.began'>): string =>
  `${clock(event.t)} ${event.scenario} lab=${event.lab} (${event.labReason}) seed=${event.seed} target=${quoted(event.target)}`;
