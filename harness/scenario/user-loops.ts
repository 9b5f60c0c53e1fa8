import type { Millis } from '../../reference-impl/machine/machine.ts';
import type { Rng } from '../../reference-impl/machine/rng.ts';
import type { Plan } from './scenario.ts';

type User = { tunnel: number; at: Millis | undefined };

/** Users outside: each opens a tunnel to a client that is registered, and when it is done rests and opens the next. */
export class UserLoops {
  readonly #think: readonly [Millis, Millis];
  readonly #rng: Rng;
  readonly #users: User[];
  readonly #byTunnel = new Map<number, User>();
  readonly #clients: string[] = [];
  readonly #index = new Map<string, number>();
  #going = false;
  /** The earliest turn of any user; undefined: to be looked up again. */
  #first: Millis | undefined;
  #stale = true;

  constructor(users: Plan['users'], rng: Rng) {
    this.#think = users.thinkMillis;
    this.#rng = rng;
    this.#users = Array.from({ length: users.count }, () => ({ tunnel: 0, at: undefined }));
  }

  clientUp(client: string): void {
    if (this.#index.has(client)) return;
    this.#index.set(client, this.#clients.length);
    this.#clients.push(client);
  }

  clientDown(client: string): void {
    const at = this.#index.get(client);
    const last = this.#clients.pop();
    if (at === undefined || last === undefined) {
      if (last !== undefined) this.#clients.push(last);
      return;
    }
    this.#index.delete(client);
    if (last === client) return;
    this.#clients[at] = last;
    this.#index.set(last, at);
  }

  go(now: Millis): void {
    this.#going = true;
    this.#stale = true;
    for (const user of this.#users) user.at ??= now + this.#rng.between(0, this.#think[1]);
  }

  rest(): void {
    this.#going = false;
    this.#stale = true;
    for (const user of this.#users) user.at = undefined;
  }

  /** Asked after every event of the run: looked up only when a turn has changed. */
  deadline(): Millis | undefined {
    if (!this.#stale) return this.#first;
    this.#stale = false;
    this.#first = undefined;
    for (const { at } of this.#users)
      if (at !== undefined && (this.#first === undefined || at < this.#first)) this.#first = at;
    return this.#first;
  }

  /** The users whose turn it is, each with a client drawn from those that can be reached; nobody there: they try again later. */
  *due(
    now: Millis,
    reachable: (client: string) => boolean,
  ): Generator<{ readonly user: User; readonly client: string }> {
    const first = this.deadline();
    if (first === undefined || first > now) return;
    this.#stale = true;
    for (const user of this.#users) {
      if (user.at === undefined || user.at > now) continue;
      const client = this.#clients[this.#rng.below(this.#clients.length)];
      if (client !== undefined && reachable(client)) {
        user.at = undefined;
        yield { user, client };
      } else user.at = now + this.#rng.between(...this.#think);
    }
  }

  opened(user: User, tunnel: number): void {
    user.tunnel = tunnel;
    this.#byTunnel.set(tunnel, user);
  }

  done(now: Millis, tunnel: number): void {
    const user = this.#byTunnel.get(tunnel);
    if (user === undefined) return;
    this.#byTunnel.delete(tunnel);
    if (!this.#going) return;
    this.#stale = true;
    user.at = now + this.#rng.between(...this.#think);
  }
}
