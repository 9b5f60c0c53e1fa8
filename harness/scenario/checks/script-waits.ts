/** What a script waited for when it could not go on, in terms of the conversation it was having. */
import type { EventOf, TraceEvent } from '../../trace/trace.ts';

/** Clauses that a script which waits in vain may concern. */
export const STUCK_CLAUSES = ['PORT-CTRL-2', 'PORT-POOL-1', 'PORT-EVENT-2', 'PORT-LIVE-1'] as const;

type Talk = { out: string; lines: number };

/** Follows the last connection of every script: what it said, and how many lines it was told. */
export class ScriptWaits {
  readonly #talks = new Map<string, Map<number, Talk>>();

  event(event: TraceEvent): void {
    if (event.type === 'conn.opened' && event.role === 'dialled' && event.who.startsWith('users/')) {
      const talks = this.#talks.get(event.who) ?? new Map<number, Talk>();
      this.#talks.set(event.who, talks.set(event.conn, { out: '', lines: 0 }));
    } else if (event.type === 'conn.bytes') {
      const talk = this.#talks.get(event.who)?.get(event.conn);
      if (talk === undefined) return;
      const text = Buffer.from(event.hex, 'hex').toString('latin1');
      if (event.dir === 'out') talk.out += text;
      else talk.lines += text.split('\n').length - 1;
    }
  }

  clauseOf(stuck: EventOf<'script.stuck'>): (typeof STUCK_CLAUSES)[number] {
    if (stuck.waitingFor !== 'line') return 'PORT-LIVE-1';
    const talk = [...(this.#talks.get(stuck.who)?.values() ?? [])].at(-1);
    if (talk === undefined || talk.lines === 0) return 'PORT-CTRL-2';
    return talk.out.startsWith('pool') ? 'PORT-POOL-1' : 'PORT-EVENT-2';
  }
}
