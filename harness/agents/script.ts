/** A raw client that says literal bytes, step by step: for conversations that no well-behaved client has. */
import { LineReader } from '../../reference-impl/machine/lines.ts';
import {
  type Address,
  type CommandInput,
  type Conn,
  type Millis,
  type NameConn,
  type NetInput,
  type NetMachine,
  type NetOutput,
  NOTHING,
} from '../../reference-impl/machine/machine.ts';
import type { Happening } from '../trace/trace.ts';
import type { ActorCommand, ScriptStep } from './actor-spec.ts';
import { ServiceMachine } from './service.ts';

type Out = NetOutput<Happening>;
/** No step of a script may wait longer: a relay that says nothing must not hang the run. */
const STEP_MILLIS = 10_000;
const LINE_BYTES = 256;

type Line = {
  readonly conn: Conn;
  readonly reader: LineReader;
  over: 'end' | 'reset' | 'refused' | undefined;
  up: boolean;
};

/**
 * Runs its steps in order. Reports `script.mark` and `script.saw` as told; a step (other than `wait` and `expectEnd`) that
 * gets nowhere for ten seconds is `script.stuck`, and the rest of the script is not done.
 */
export class ScriptMachine implements NetMachine<Happening, ActorCommand> {
  readonly #to: Address;
  readonly #steps: readonly ScriptStep[];
  readonly #name: NameConn;
  readonly #service = new ServiceMachine(-1);
  readonly #served = new Set<Conn>();
  readonly #byName = new Map<string, Line>();
  readonly #byConn = new Map<Conn, Line>();
  readonly #kept = new Map<string, string>();
  #at = 0;
  #due: Millis | undefined;

  constructor(to: Address, steps: readonly ScriptStep[], name: NameConn) {
    this.#to = to;
    this.#steps = steps;
    this.#name = name;
  }

  deadline(): Millis | undefined {
    return this.#due;
  }

  handle(now: Millis, input: NetInput | CommandInput<ActorCommand>): readonly Out[] {
    switch (input.type) {
      case 'start':
        return this.#go(now);
      case 'deadline':
        return this.#deadline(now);
      case 'connected':
        return this.#note(now, input.conn, (line) => {
          line.up = true;
        });
      case 'bytes': {
        if (this.#service.serves(input.conn)) return this.#service.handle(now, input);
        return this.#note(now, input.conn, (line) => line.reader.push(input.bytes));
      }
      case 'ended':
        if (this.#service.serves(input.conn)) return this.#service.handle(now, input);
        return this.#note(now, input.conn, (line) => {
          line.over ??= 'end';
        });
      case 'closed':
        if (this.#served.delete(input.conn)) return this.#service.handle(now, input);
        return this.#note(now, input.conn, (line) => {
          line.over ??= input.why === 'end' ? 'end' : input.why === 'refused' ? 'refused' : 'reset';
        });
      case 'flushed':
        return this.#service.handle(now, input);
      case 'stop':
        this.#due = undefined;
        this.#at = this.#steps.length;
        return [...this.#byConn.keys(), ...this.#served].map((conn): Out => ({ type: 'reset', conn }));
      default:
        return NOTHING;
    }
  }

  #note(now: Millis, conn: Conn, change: (line: Line) => void): readonly Out[] {
    const line = this.#byConn.get(conn);
    if (line === undefined) return NOTHING;
    change(line);
    return this.#due === undefined ? NOTHING : this.#go(now);
  }

  #deadline(now: Millis): readonly Out[] {
    const step = this.#steps[this.#at];
    if (step === undefined || this.#due === undefined || this.#due > now) return NOTHING;
    this.#due = undefined;
    if (step.do === 'wait') {
      this.#at++;
      return this.#go(now);
    }
    if (step.do === 'expectEnd') {
      this.#at++;
      return [
        { type: 'report', event: { type: 'script.saw', name: step.name, what: 'open' } },
        ...this.#go(now),
      ];
    }
    this.#at = this.#steps.length;
    return [
      {
        type: 'report',
        event: { type: 'script.stuck', step: this.#steps.indexOf(step), waitingFor: step.do },
      },
    ];
  }

  /** Runs steps until one must wait. */
  #go(now: Millis): readonly Out[] {
    const out: Out[] = [];
    for (let step = this.#steps[this.#at]; step !== undefined; step = this.#steps[this.#at]) {
      if (!this.#step(now, step, out)) return out;
      this.#at++;
      this.#due = undefined;
    }
    return out;
  }

  /** @returns whether the step is done */
  #step(now: Millis, step: ScriptStep, out: Out[]): boolean {
    switch (step.do) {
      case 'dial': {
        const known = this.#byName.get(step.conn);
        if (known !== undefined) return known.up || known.over !== undefined;
        const line: Line = { conn: this.#name(), reader: new LineReader(), over: undefined, up: false };
        this.#byName.set(step.conn, line);
        this.#byConn.set(line.conn, line);
        out.push({ type: 'connect', conn: line.conn, to: this.#to, from: undefined });
        this.#due = now + STEP_MILLIS;
        return false;
      }
      case 'wait':
        this.#due ??= now + step.millis;
        return now >= this.#due;
      case 'mark': {
        const port = step.port === undefined ? 0 : Number(this.#kept.get(step.port) ?? 0);
        out.push({ type: 'report', event: { type: 'script.mark', name: step.name, port } });
        return true;
      }
      default:
        return this.#onLine(now, step, out);
    }
  }

  #onLine(now: Millis, step: Exclude<ScriptStep, { do: 'dial' | 'wait' | 'mark' }>, out: Out[]): boolean {
    const line = this.#byName.get(step.conn);
    if (line === undefined)
      throw new Error(`script: step ${this.#at} speaks of ${step.conn}, which was never dialled`);
    switch (step.do) {
      case 'send': {
        const text = step.text.replace(/\{(\w+)\}/g, (_all, name: string) => this.#kept.get(name) ?? '');
        out.push({ type: 'send', conn: line.conn, bytes: new TextEncoder().encode(text) });
        return true;
      }
      case 'line': {
        const text = line.reader.line(LINE_BYTES);
        if (typeof text !== 'string') {
          this.#due ??= now + STEP_MILLIS;
          return false;
        }
        this.#kept.set(step.as, text);
        return true;
      }
      case 'end':
      case 'reset':
        out.push({ type: step.do, conn: line.conn });
        if (step.do === 'reset') this.#byConn.delete(line.conn);
        return true;
      case 'expectEnd': {
        if (line.over === undefined) {
          this.#due ??= now + step.millis;
          return false;
        }
        out.push({ type: 'report', event: { type: 'script.saw', name: step.name, what: line.over } });
        return true;
      }
      case 'serve': {
        const { conn, over } = line;
        const early = line.reader.rest();
        this.#byConn.delete(conn);
        if (over !== undefined && over !== 'end') return true;
        this.#service.adopt(conn);
        this.#served.add(conn);
        if (early !== undefined)
          out.push(...this.#service.handle(now, { type: 'bytes', conn, bytes: early }));
        // What had come before is heard now, its end too.
        if (over === 'end') out.push(...this.#service.handle(now, { type: 'ended', conn }));
        return true;
      }
    }
  }
}
