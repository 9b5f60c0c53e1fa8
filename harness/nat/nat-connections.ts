import type { Address, Conn, Listener, Millis, NetInput, Why } from '../../reference-impl/machine/machine.ts';
import { Alarms } from './alarms.ts';
import type { Outputs } from './byte-relay.ts';
import { carry, finish, flushed, resetEnd } from './byte-relay.ts';
import type { Nat } from './nat.ts';
import { transitoryMillis } from './nat.ts';
import type { ConnectionsOptions } from './nat-options.ts';
import type { End, Pair, Side } from './nat-pair.ts';
import { farEnd, newPair, noticeAt } from './nat-pair.ts';
import type { NatReport } from './nat-report.ts';
import { newTally } from './nat-report.ts';
import { PortTranslation } from './port-translation.ts';

/** What the inner end may say before the upstream answers; then it is not read any more. */
const EARLY_BYTES_MAX = 65_536;
/** Linux gives up a SYN nobody answers after 127 s (tcp_syn_retries 6). */
const SYN_GIVE_UP_MILLIS = 127_000;
/** Public ports tried when the system refuses to bind one, before it may choose. */
const BIND_TRIES = 8;

type ConnInput = Extract<NetInput, { type: 'connected' | 'bytes' | 'ended' | 'flushed' | 'closed' }>;
type Alarm = { readonly pair: Pair; readonly what: 'idle' | 'syn' | Side };

/** The connections of a userspace NAT: from accept to the last word about both sockets. */
export class NatConnections {
  readonly tally = newTally();
  /** What to do, in order; the machine takes it after each call. */
  out: Outputs = [];
  readonly #options: ConnectionsOptions;
  readonly #nat: Nat;
  readonly #ports: PortTranslation;
  readonly #pairs = new Map<Conn, Pair>();
  readonly #waiting = new Set<Pair>();
  readonly #alarms = new Alarms<Alarm>();
  /** A probe that comes before the idle timeout keeps the mapping for ever. */
  readonly #keptFresh: boolean;
  #publicHost: string | undefined;
  #down = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#nat = options.nat;
    this.#publicHost = options.publicHost;
    this.#ports = new PortTranslation(options.nat, options.rng);
    const idle = options.nat.idle.establishedMillis;
    const probes = [options.innerKeepaliveMillis, options.outerKeepaliveMillis];
    this.#keptFresh = probes.some((millis) => millis > 0 && millis < idle);
  }

  deadline(): Millis | undefined {
    return this.#alarms.next();
  }

  accept(now: Millis, conn: Conn, from: Address, listener: Listener): void {
    const { upstream, upstreams } = this.#options;
    const pair = newPair(now, conn, from, upstreams?.get(listener) ?? upstream);
    this.#pairs.set(conn, pair);
    if (pair.to.host === this.#publicHost && !this.#nat.hairpin) {
      pair.state = 'lost';
      if (this.#nat.unsolicited === 'reset') this.#abandon(pair);
      else this.#alarms.set(now + SYN_GIVE_UP_MILLIS, { pair, what: 'syn' });
    } else if (this.#down) {
      this.out.push({ type: 'pause', conn });
      this.#wait(pair);
    } else if (!this.#dial(pair)) {
      this.#refuse(pair);
    }
  }

  about(now: Millis, input: ConnInput): void {
    const pair = this.#pairs.get(input.conn);
    if (pair === undefined) return;
    const end = pair.inner.conn === input.conn ? pair.inner : pair.outer;
    if (!end.open) return;
    if (pair.state === 'live') this.#expireIfIdle(now, pair);
    switch (input.type) {
      case 'connected':
        this.#connected(now, pair);
        break;
      case 'bytes':
        this.#bytes(now, pair, end, input.bytes);
        break;
      case 'ended':
        this.#ended(now, pair, end);
        break;
      case 'flushed':
        if (flushed(this.out, end, farEnd(pair, end)) && !this.#down) {
          this.out.push({ type: 'resume', conn: farEnd(pair, end).conn });
        }
        break;
      case 'closed':
        this.#closed(pair, end, input.why);
        break;
    }
  }

  /** Does what is due by the clock. */
  wake(now: Millis): void {
    for (let alarm = this.#alarms.take(now); alarm !== undefined; alarm = this.#alarms.take(now)) {
      const { pair, what } = alarm;
      if (what === 'idle') this.#idle(now, pair);
      else if (what === 'syn') this.#giveUpSyn(now, pair);
      else if (pair.state === 'gone' && pair[what].open) this.#probe(pair, pair[what]);
    }
  }

  /** Forgets the mappings unused for at least `idleMillis`. @returns how many there were */
  forget(now: Millis, cause: 'reboot' | 'readdress' | 'expire', idleMillis: Millis): number {
    let mappings = 0;
    for (const pair of new Set(this.#pairs.values())) {
      if (pair.state === 'dialling' && idleMillis === 0) this.#dropDial(pair);
      else if (pair.state === 'live' && now - pair.usedAt >= idleMillis) this.#drop(now, pair, cause);
      else continue;
      mappings++;
    }
    this.tally.dropped += mappings;
    this.#say({ type: 'nat.dropped', mappings, cause });
    this.#serveWaiting();
    return mappings;
  }

  readdress(publicHost: string | undefined): void {
    this.#publicHost = publicHost;
  }

  /** Nothing passes until `up`. @returns how many connections stall */
  down(): number {
    this.#down = true;
    let stalled = 0;
    for (const pair of new Set(this.#pairs.values())) {
      if (pair.state === 'live' || pair.state === 'dialling') stalled++;
      for (const end of [pair.inner, pair.outer]) {
        if (end.open && !(end.side === 'outer' && pair.state === 'dialling'))
          this.out.push({ type: 'pause', conn: end.conn });
      }
    }
    return stalled;
  }

  up(now: Millis): void {
    this.#down = false;
    for (const pair of new Set(this.#pairs.values())) {
      for (const end of [pair.inner, pair.outer]) {
        const full =
          end.held || (end.side === 'inner' && pair.early.length > 0 && pair.earlyBytes > EARLY_BYTES_MAX);
        const dialled = end.side === 'inner' || pair.state !== 'dialling' || pair.arrived;
        if (end.open && !full && dialled) this.out.push({ type: 'resume', conn: end.conn });
      }
      if (pair.arrived) this.#connected(now, pair);
    }
    this.#serveWaiting();
  }

  /** Resets everything. @returns how many sockets were still open */
  stop(): number {
    let resets = 0;
    for (const [conn, pair] of this.#pairs) {
      const end = pair.inner.conn === conn ? pair.inner : pair.outer;
      if (end.open) resets++;
      resetEnd(this.out, end);
    }
    this.#pairs.clear();
    this.#waiting.clear();
    this.#alarms.clear();
    return resets;
  }

  #say(event: NatReport): void {
    this.out.push({ type: 'report', event });
  }

  #wait(pair: Pair): void {
    pair.state = 'waiting';
    pair.tries = 0;
    this.#waiting.add(pair);
    this.#alarms.set(pair.usedAt + SYN_GIVE_UP_MILLIS, { pair, what: 'syn' });
  }

  /** No port is left. A host-unreachable cannot be said to a connection that is already established, so it becomes RST. */
  #refuse(pair: Pair): void {
    this.tally.exhausted++;
    this.#say({ type: 'nat.exhausted', inUse: this.#ports.inUse });
    if (this.#nat.exhaustion === 'silent') this.#wait(pair);
    else this.#abandon(pair);
  }

  /** @returns false when no port is left */
  #dial(pair: Pair): boolean {
    const blocked = pair.tries >= BIND_TRIES;
    if (blocked && this.#nat.mapping.kind === 'range') return false;
    if (!this.#ports.take(pair, pair.tries > 0)) return false;
    if (this.#ports.takeOver(pair.port)) this.#takeOver(pair);
    const { outer } = pair;
    outer.conn = this.#options.name();
    outer.open = true;
    pair.state = 'dialling';
    this.#waiting.delete(pair);
    this.#pairs.set(outer.conn, pair);
    const host = this.#publicHost;
    const from = host === undefined ? undefined : { host, port: blocked ? 0 : pair.port };
    this.out.push({ type: 'connect', conn: outer.conn, to: pair.to, from });
    return true;
  }

  /** A new connection from a port on which the upstream still holds a dead one: its SYN makes the upstream give that up. */
  #takeOver({ port, to }: Pair): void {
    for (const old of this.#pairs.values()) {
      if (old.port !== port || old.to !== to || old.state !== 'gone' || !old.outer.open) continue;
      this.#notice(old, old.outer, 'rst');
      return;
    }
  }

  #connected(now: Millis, pair: Pair): void {
    if (pair.state !== 'dialling') return;
    pair.arrived = this.#down;
    if (this.#down) {
      this.out.push({ type: 'pause', conn: pair.outer.conn });
      return;
    }
    pair.state = 'live';
    pair.usedAt = now;
    this.tally.mapped++;
    const systemChose = this.#publicHost === undefined || pair.tries >= BIND_TRIES;
    this.#say({ type: 'nat.mapped', conn: pair.inner.conn, port: systemChose ? 0 : pair.port });
    const early = pair.early;
    pair.early = [];
    for (const bytes of early) carry(this.out, pair.inner, pair.outer, bytes);
    if (pair.earlyBytes > EARLY_BYTES_MAX && !pair.inner.held)
      this.out.push({ type: 'resume', conn: pair.inner.conn });
    if (pair.inner.ended) finish(this.out, pair.outer);
    this.#watchIdle(pair);
  }

  #watchIdle(pair: Pair): void {
    if (!this.#keptFresh) this.#alarms.set(pair.usedAt + this.#idleMillis(pair), { pair, what: 'idle' });
  }

  #idleMillis(pair: Pair): Millis {
    const closing = pair.inner.ended || pair.outer.ended;
    return closing ? transitoryMillis(this.#nat) : this.#nat.idle.establishedMillis;
  }

  #bytes(now: Millis, pair: Pair, end: End, bytes: Uint8Array): void {
    switch (pair.state) {
      case 'live':
        pair.usedAt = now;
        this.tally.discardedBytes += carry(this.out, end, farEnd(pair, end), bytes);
        break;
      case 'waiting':
      case 'dialling':
        pair.early.push(bytes);
        pair.earlyBytes += bytes.length;
        if (pair.earlyBytes > EARLY_BYTES_MAX) this.out.push({ type: 'pause', conn: end.conn });
        break;
      case 'gone':
      case 'lost':
        this.tally.discardedBytes += bytes.length;
        if (pair.state === 'gone') this.#sentIntoNothing(pair, end);
        break;
    }
  }

  #ended(now: Millis, pair: Pair, end: End): void {
    end.ended = true;
    if (pair.state === 'gone') this.#sentIntoNothing(pair, end);
    if (pair.state !== 'live') return;
    pair.usedAt = now;
    finish(this.out, farEnd(pair, end));
    this.#watchIdle(pair);
  }

  #closed(pair: Pair, end: End, why: Why): void {
    end.open = false;
    pair.arrived = false;
    if (pair.state === 'dialling' && end.side === 'outer' && why === 'exhausted' && pair.tries < BIND_TRIES) {
      this.#pairs.delete(end.conn);
      this.#ports.release(pair, false);
      pair.tries++;
      if (!this.#dial(pair)) this.#refuse(pair);
      return;
    }
    const passesOn = pair.state === 'dialling' || (pair.state === 'live' && why !== 'end');
    if (passesOn) resetEnd(this.out, farEnd(pair, end));
    this.#forgetIfOver(pair);
  }

  /** Resets the inner end of a connection that has no outer one. */
  #abandon(pair: Pair): void {
    resetEnd(this.out, pair.inner);
    this.#forgetIfOver(pair);
  }

  #forgetIfOver(pair: Pair): void {
    if (pair.state === 'gone' && !pair.outer.open) this.#ports.over(pair, true);
    if (pair.inner.open || pair.outer.open) return;
    this.#waiting.delete(pair);
    this.#pairs.delete(pair.inner.conn);
    this.#pairs.delete(pair.outer.conn);
    if (pair.state !== 'gone') this.#ports.over(pair, false);
    pair.state = 'lost';
    this.#serveWaiting();
  }

  #serveWaiting(): void {
    if (this.#down) return;
    for (const pair of this.#waiting) if (!this.#dial(pair)) return;
  }

  #giveUpSyn(now: Millis, pair: Pair): void {
    const waits = pair.state === 'waiting' || (pair.state === 'lost' && pair.inner.open);
    if (waits && now - pair.usedAt >= SYN_GIVE_UP_MILLIS) this.#abandon(pair);
  }

  #idle(now: Millis, pair: Pair): void {
    if (pair.state === 'gone' && pair.mapped) this.#ports.release(pair, pair.outer.open);
    if (pair.state !== 'live') return;
    this.#expireIfIdle(now, pair);
    if (pair.state === 'live') this.#watchIdle(pair);
  }

  #expireIfIdle(now: Millis, pair: Pair): void {
    const idleMillis = now - pair.usedAt;
    if (this.#keptFresh || idleMillis < this.#idleMillis(pair)) return;
    this.tally.expired++;
    this.#say({ type: 'nat.expired', conn: pair.inner.conn, idleMillis });
    this.#drop(now, pair, 'expire');
    this.#serveWaiting();
  }

  /** The upstream has not answered yet: the inner end's next SYN makes a new mapping. */
  #dropDial(pair: Pair): void {
    resetEnd(this.out, pair.outer);
    this.#pairs.delete(pair.outer.conn);
    this.#ports.release(pair, false);
    pair.arrived = false;
    this.#wait(pair);
  }

  #drop(now: Millis, pair: Pair, cause: 'reboot' | 'readdress' | 'expire'): void {
    pair.state = 'gone';
    pair.goneAt = now;
    pair.addressGone = cause === 'readdress';
    const lingers = pair.outer.open && cause !== 'readdress';
    if (cause === 'reboot') this.#ports.releaseInner(pair, lingers);
    else this.#ports.release(pair, lingers);
    for (const end of [pair.inner, pair.outer]) {
      if (end.open && end.held && !this.#down) this.out.push({ type: 'resume', conn: end.conn });
      end.held = false;
      const at = noticeAt(
        pair,
        end.side === 'inner' ? this.#options.innerKeepaliveMillis : this.#options.outerKeepaliveMillis,
      );
      if (end.open && at !== undefined) this.#alarms.set(at, { pair, what: end.side });
    }
  }

  /** An end sent something through a mapping that is gone. */
  #sentIntoNothing(pair: Pair, end: End): void {
    const { notify } = this.#nat.idle;
    if (notify === 'rst' && !(end.side === 'outer' && pair.addressGone)) this.#notice(pair, end, 'rst');
    if (notify === 'rebind' && end.side === 'inner') this.#rebind(pair);
  }

  /** Its packet leaves from a new port; the upstream knows no such connection and answers RST. */
  #rebind(pair: Pair): void {
    const { port, homePort } = pair;
    const mapped = pair.mapped;
    if (!this.#ports.take(pair, true)) return;
    this.#say({
      type: 'nat.mapped',
      conn: pair.inner.conn,
      port: this.#publicHost === undefined ? 0 : pair.port,
    });
    this.tally.mapped++;
    this.#ports.release(pair, false);
    Object.assign(pair, { port, homePort, mapped });
    this.#notice(pair, pair.inner, 'rst');
  }

  /** Its keepalive probe met nothing, or an RST. */
  #probe(pair: Pair, end: End): void {
    this.#sentIntoNothing(pair, end);
    if (end.open) this.#notice(pair, end, 'keepalive');
  }

  #notice(pair: Pair, end: End, how: 'keepalive' | 'rst'): void {
    if (!end.open) return;
    resetEnd(this.out, end);
    this.tally.noticed++;
    this.#say({ type: 'nat.noticed', conn: pair.inner.conn, side: end.side, how });
    this.#forgetIfOver(pair);
  }
}
