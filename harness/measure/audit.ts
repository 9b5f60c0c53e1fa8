import type { EventOf, TraceEvent } from '../trace/trace.ts';

/** What the relay process held; -1: cannot be read here. */
export type Books = {
  readonly fds: number;
  readonly sockets: number;
  readonly listening: number;
  readonly rssBytes: number;
};

/** undefined: not looked at. `peak`: the largest of every look, each figure by itself. */
export type Audit = {
  readonly before: Books | undefined;
  readonly peak: Books | undefined;
  readonly after: Books | undefined;
};

const booksOf = ({ fds, sockets, listening, rssBytes }: EventOf<'audit.relay'>): Books => ({
  fds,
  sockets,
  listening,
  rssBytes,
});

const larger = (a: Books, b: Books): Books => ({
  fds: Math.max(a.fds, b.fds),
  sockets: Math.max(a.sockets, b.sockets),
  listening: Math.max(a.listening, b.listening),
  rssBytes: Math.max(a.rssBytes, b.rssBytes),
});

/** Keeps the first look before, the last look after, and the peaks. */
export class AuditCollector {
  #before: Books | undefined;
  #peak: Books | undefined;
  #after: Books | undefined;

  event(event: TraceEvent): void {
    if (event.type !== 'audit.relay') return;
    const books = booksOf(event);
    if (event.moment === 'before') this.#before ??= books;
    if (event.moment === 'after') this.#after = books;
    this.#peak = this.#peak === undefined ? books : larger(this.#peak, books);
  }

  audit(): Audit {
    return { before: this.#before, peak: this.#peak, after: this.#after };
  }
}
