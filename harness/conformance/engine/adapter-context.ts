/** A case against a codec behind an adapter: requests, and answers or how there was none. */
import type { AdapterContext, AdapterHello, AdapterReply } from '../case.ts';
import { Unclear } from '../outcome.ts';
import type { ExecAdapter } from '../targets/exec-adapter.ts';
import { BaseContext, type Surroundings } from './context.ts';

/** Where an echo took this share of the adapter's time, the machine may be what hung. */
const LATE_SHARE = 4;
const SHOWN_CHARS = 400;

const shown = (what: unknown): string => {
  const text = typeof what === 'string' ? what : JSON.stringify(what);
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}... (${text.length} characters)` : text;
};

export class LiveAdapterContext extends BaseContext implements AdapterContext {
  readonly #adapter: ExecAdapter;
  readonly #surroundings: Surroundings;

  constructor(id: string, surroundings: Surroundings, adapter: ExecAdapter) {
    super(id, surroundings);
    this.#surroundings = surroundings;
    this.#adapter = adapter;
  }

  get hello(): AdapterHello {
    return this.#adapter.hello;
  }

  async ask(request: Readonly<Record<string, unknown>>): Promise<AdapterReply> {
    const reply = await this.#adapter.ask(request);
    if (reply.type === 'answer') return reply;
    this.log.event('adapter', 'us', shown(request));
    this.log.event('adapter', 'target', `${reply.type}: ${reply.text}`);
    if (reply.type === 'hang') {
      const { answerMillis } = this.#adapter;
      const worst = Math.round(this.#surroundings.canary.worstMillis(answerMillis));
      if (worst > answerMillis / LATE_SHARE)
        throw new Unclear(
          `the machine was too slow to tell: awaiting an answer, an echo on this machine took ${worst} ms`,
        );
    }
    return reply;
  }

  restart(): Promise<void> {
    this.log.note('the adapter is started afresh');
    return this.#adapter.restart();
  }
}
