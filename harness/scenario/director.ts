/** A plan as a machine: hears what happens, and says what is to be done next. The same in every lab, in the lab's own clock. */
import {
  type CommandInput,
  type Millis,
  type NetInput,
  type NetOutput,
  NOTHING,
} from '../../reference-impl/machine/machine.ts';
import { type Rng, rngFor } from '../../reference-impl/machine/rng.ts';
import type { Director, Order } from '../labs/lab.ts';
import { REQUEST_BYTES } from '../measure/payload.ts';
import type { EventOf, TraceEvent, TransferMode } from '../trace/trace.ts';
import type { Match, Plan, Step, TunnelShape, When } from './scenario.ts';
import { Throughput, TRANSFER_MILLIS } from './throughput.ts';
import { UserLoops } from './user-loops.ts';

type Out = NetOutput<Order>;
const PATIENCE_MILLIS = 15_000;

/** Somewhere a tunnel can go. `live` false: it was registered once. */
type Port = { readonly port: number; readonly mode: TransferMode; live: boolean };

const matches = (event: TraceEvent, match: Match): boolean =>
  Object.entries(match).every(([key, value]) => (event as unknown as Record<string, unknown>)[key] === value);

/** Steps that show something; a phase or an audit that was not reached shows in the report by itself. */
const SHOWS: ReadonlySet<string> = new Set([
  'nat',
  'link',
  'outage',
  'stop',
  'tunnel',
  'probe',
  'agents',
  'users',
  'throughput',
]);

/** What `#hear` minds, whatever the plan waits for. */
const HEARD: ReadonlySet<string> = new Set([
  'client.registered',
  'client.lost',
  'client.stopped',
  'script.mark',
  'tunnel.done',
  'host.crashed',
  'rate.sample',
]);

export class PlanDirector implements Director {
  readonly #plan: Plan;
  readonly #rng: Rng;
  readonly #ports = new Map<string, Port>();
  readonly #due: { at: Millis; readonly step: Step }[] = [];
  /** What waits for an event, by the type of that event: most events of a run are waited for by nobody. */
  readonly #waiting = new Map<
    string,
    { readonly when: Exclude<When, number>; readonly step: Step; seen: number }[]
  >();
  readonly #loops: UserLoops;
  readonly #throughput = new Throughput();
  readonly #modes: ReadonlyMap<string, TransferMode>;
  /** Measurement agents of ours: those of somebody else measure when they like. */
  readonly #agents: readonly string[];
  #tunnels = 0;
  #faults = 0;
  #finishAt: Millis | undefined;
  #finished = false;

  constructor(plan: Plan, seed: number) {
    this.#plan = plan;
    this.#rng = rngFor(seed, 'users');
    this.#loops = new UserLoops(plan.users, this.#rng);
    const modes = new Map<string, TransferMode>();
    const agents: string[] = [];
    for (const site of plan.topology.sites)
      for (const { who, actor } of site.actors) {
        if (actor.kind === 'client') modes.set(who, actor.mode);
        if (actor.kind === 'forwarder') modes.set(who, 'forwarder');
        if (actor.kind === 'measurement-agent') agents.push(who);
      }
    this.#modes = modes;
    this.#agents = agents;
    for (const entry of plan.timeline) {
      const { when, step } = entry;
      if (typeof when === 'number') this.#due.push({ at: when, step });
      else {
        const waiting = this.#waiting.get(when.after.type) ?? [];
        this.#waiting.set(when.after.type, [...waiting, { when, step, seen: 0 }]);
      }
    }
    this.#due.sort((a, b) => a.at - b.at);
  }

  deadline(): Millis | undefined {
    if (this.#finished) return undefined;
    let first = this.#finishAt ?? this.#plan.limitMillis;
    const next = this.#due[0]?.at;
    if (next !== undefined && next < first) first = next;
    const transfer = this.#throughput.deadline();
    if (transfer !== undefined && transfer < first) first = transfer;
    const user = this.#loops.deadline();
    if (user !== undefined && user < first) first = user;
    return first;
  }

  /** Whether events of this type change anything: most of a run's are nobody's business here. */
  hears(type: TraceEvent['type']): boolean {
    return HEARD.has(type) || this.#waiting.has(type);
  }

  handle(now: Millis, input: NetInput | CommandInput<TraceEvent>): readonly Out[] {
    if (this.#finished) return NOTHING;
    const orders: Order[] = [];
    if (input.type === 'command') this.#hear(now, input.command, orders);
    this.#advance(now, orders);
    return orders.length === 0 ? NOTHING : orders.map((event): Out => ({ type: 'report', event }));
  }

  /** Says which steps never had their turn: a timeline that waits for what never comes must not look like one that was kept. */
  #unmet(orders: Order[]): void {
    for (const waiting of this.#waiting.values())
      for (const { when, step, seen } of waiting) {
        if (seen >= (when.nth ?? 1) || !SHOWS.has(step.do)) continue;
        const why = `waited for ${JSON.stringify(when.after)}, seen ${seen} times`;
        orders.push({ do: 'say', event: { type: 'step.unmet', step: step.do, why } });
      }
    for (const { at, step } of this.#due)
      if (SHOWS.has(step.do))
        orders.push({
          do: 'say',
          event: { type: 'step.unmet', step: step.do, why: `the run was over before ${at} ms` },
        });
  }

  #advance(now: Millis, orders: Order[]): void {
    for (let next = this.#due[0]; next !== undefined && next.at <= now; next = this.#due[0]) {
      this.#due.shift();
      this.#step(now, next.step, orders);
    }
    const turn = this.#loops.deadline();
    if (turn !== undefined && turn <= now) this.#usersTurn(now, orders);
    const transfer = this.#throughput.deadline();
    if (transfer !== undefined && transfer <= now) this.#pump(now, this.#throughput.failed(now), orders);
    const inTime = this.#finishAt !== undefined && now >= this.#finishAt;
    if (!inTime && now < this.#plan.limitMillis) return;
    if (inTime) this.#unmet(orders);
    this.#finished = true;
    orders.push({ do: 'finish', complete: inTime, why: inTime ? 'timeline over' : 'time limit of the plan' });
  }

  #usersTurn(now: Millis, orders: Order[]): void {
    for (const turn of this.#loops.due(now, (client) => this.#ports.get(client)?.live === true)) {
      const port = this.#ports.get(turn.client) as Port;
      const site = turn.client.slice(0, turn.client.indexOf('/'));
      const shape = this.#plan.users.shape(port.mode, site, () => this.#rng.unit());
      this.#loops.opened(turn.user, this.#order(turn.client, port, shape, -1, orders));
    }
  }

  #hear(now: Millis, event: TraceEvent, orders: Order[]): void {
    switch (event.type) {
      case 'client.registered':
        this.#ports.set(event.who, {
          port: event.port,
          mode: this.#modes.get(event.who) ?? event.mode,
          live: true,
        });
        this.#loops.clientUp(event.who);
        break;
      case 'client.lost':
      case 'client.stopped': {
        const port = this.#ports.get(event.who);
        if (port !== undefined) port.live = false;
        this.#loops.clientDown(event.who);
        break;
      }
      case 'script.mark':
        if (event.port > 0) this.#ports.set(event.who, { port: event.port, mode: 'pool', live: true });
        break;
      case 'tunnel.done':
        if (event.side === 'user') this.#done(now, event, orders);
        break;
      case 'host.crashed':
        if (event.who === 'relay') this.#relayGone();
        break;
      case 'rate.sample':
        this.#pump(now, this.#throughput.sampled(now, event), orders);
        break;
    }
    for (const waiting of this.#waiting.get(event.type) ?? []) {
      const { when, step } = waiting;
      if (!matches(event, when.after)) continue;
      if (++waiting.seen !== (when.nth ?? 1)) continue;
      this.#due.push({ at: now + (when.delayMillis ?? 0), step });
      this.#due.sort((a, b) => a.at - b.at);
    }
  }

  /** Whoever was registered is not any more, whether it tells us (our clients) or not (a forwarder is a program). */
  #relayGone(): void {
    for (const [client, port] of this.#ports) {
      port.live = false;
      this.#loops.clientDown(client);
    }
  }

  #done(now: Millis, event: EventOf<'tunnel.done'>, orders: Order[]): void {
    this.#loops.done(now, event.tunnel);
    this.#pump(now, this.#throughput.ended(now, event.tunnel), orders);
  }

  #step(now: Millis, step: Step, orders: Order[]): void {
    switch (step.do) {
      case 'phase':
        orders.push({ do: 'say', event: { type: 'run.phase', name: step.name } });
        return;
      case 'nat':
        return this.#fault(
          step.site,
          `nat ${step.event.kind}`,
          step.text,
          { kind: 'nat', event: step.event },
          orders,
        );
      case 'link': {
        const what = { kind: 'link', fault: step.fault, forMillis: step.forMillis } as const;
        return this.#fault(step.site, `link ${step.fault.kind}`, step.text, what, orders);
      }
      case 'outage': {
        const { server = 'relay', millis, text } = step;
        if (server === 'relay') this.#relayGone();
        const site = server === 'relay' ? '' : server;
        return this.#fault(site, 'outage', text, { kind: 'outage', server, millis }, orders);
      }
      case 'stop':
        orders.push({ do: 'stop', who: step.who });
        return;
      case 'audit':
        orders.push({ do: 'audit', moment: step.moment });
        return;
      case 'tunnel':
      case 'probe': {
        const port = this.#ports.get(step.client);
        if (port === undefined) {
          orders.push({
            do: 'say',
            event: { type: 'step.unmet', step: step.do, why: `${step.client} never registered` },
          });
          return;
        }
        if (step.do === 'tunnel' && !port.live) {
          const why = `${step.client} was registered once and is not now`;
          orders.push({ do: 'say', event: { type: 'step.unmet', step: step.do, why } });
          return;
        }
        const tunnel = this.#order(step.client, port, step.shape, -1, orders);
        if (step.do === 'tunnel') {
          for (let more = (step.times ?? 1) - 1; more > 0; more--)
            this.#order(step.client, port, step.shape, -1, orders);
          return;
        }
        const { clause, expects } = step;
        orders.push({ do: 'say', event: { type: 'probe.declared', tunnel, clause, expects } });
        return;
      }
      case 'read':
        orders.push({ do: 'read', server: step.server });
        return;
      case 'agents':
        for (const who of this.#agents)
          orders.push({ do: 'tell', who, command: { do: 'measure', state: step.state } });
        return;
      case 'users':
        if (step.state === 'go') this.#loops.go(now);
        else this.#loops.rest();
        return;
      case 'throughput':
        this.#pump(now, this.#throughput.begin(now, step), orders);
        return;
      case 'finish':
        this.#loops.rest();
        this.#finishAt = now + step.settleMillis;
    }
  }

  #fault(
    site: string,
    kind: string,
    text: string,
    what: Extract<Order, { do: 'fault' }>['what'],
    orders: Order[],
  ): void {
    const fault = ++this.#faults;
    orders.push({ do: 'say', event: { type: 'fault.begun', fault, kind, site, text } });
    orders.push({ do: 'fault', fault, site, what });
  }

  /** @returns the number of the tunnel that is being opened */
  #order(client: string, port: Port, shape: TunnelShape, round: number, orders: Order[]): number {
    const tunnel = ++this.#tunnels;
    const command = {
      do: 'open',
      tunnel,
      to: { host: 'relay', port: port.port },
      mode: port.mode,
      client,
      up: Math.max(REQUEST_BYTES, shape.up),
      down: shape.down,
      close: shape.close,
      patienceMillis: shape.patienceMillis ?? PATIENCE_MILLIS,
      stallMillis: shape.stallMillis ?? 0,
      round,
    } as const;
    orders.push({ do: 'tell', who: 'users', command });
    return tunnel;
  }

  /** One transfer after the other: the next begins when the one before is measured or has failed. */
  #pump(now: Millis, turn: ReturnType<Throughput['begin']>, orders: Order[]): void {
    if (turn === undefined) return;
    if (turn.path === 'over') {
      orders.push({ do: 'say', event: { type: 'run.phase', name: 'settle' } });
      return;
    }
    if (turn.path === 'direct') {
      orders.push({
        do: 'tell',
        who: turn.source,
        command: { do: 'push', round: turn.round, bytes: turn.bytes },
      });
      return;
    }
    const port = this.#ports.get(turn.client);
    if (port?.live !== true) return this.#pump(now, this.#throughput.failed(now), orders);
    const shape: TunnelShape = {
      up: REQUEST_BYTES,
      down: turn.bytes,
      close: 'full',
      patienceMillis: TRANSFER_MILLIS,
    };
    this.#throughput.opened(this.#order(turn.client, port, shape, turn.round, orders));
  }
}
