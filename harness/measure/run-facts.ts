import type { EventOf, GoalName, TraceEvent, TransferMode } from '../trace/trace.ts';

/** Who ran what, where, and how to run it again. */
export type RunFacts = {
  readonly scenario: string;
  readonly lab: string;
  readonly labReason: string;
  readonly seed: string;
  readonly version: string;
  readonly node: string;
  readonly machine: string;
  readonly rerun: string;
  readonly target: string;
  readonly timeScale: number;
  readonly plan: string;
  readonly startedAt: string;
  /** Last moment of the trace. */
  readonly endMicros: number;
  /** False: the trace has no `run.began`, so who and where are unknown. */
  readonly known: boolean;
};

export type Phase = { readonly name: string; readonly fromMicros: number; readonly toMicros: number };

/** Clients by mode. */
export type ModeCounts = { readonly [mode in TransferMode]: number };

/** One site: its clients, the link they go through and the NAT behind that link. */
export type SiteFacts = {
  readonly name: string;
  readonly nat: string;
  readonly natNote: string;
  readonly natForm: string;
  readonly link: string;
  readonly linkNote: string;
  readonly linkForm: string;
  /** As declared by the site. */
  readonly clients: number;
  readonly modes: ModeCounts;
};

export type ScheduleFacts = {
  readonly fleet: string;
  readonly size: number;
  readonly baseMillis: number;
  readonly factor: number;
  readonly capMillis: number;
  readonly jitter: number;
  readonly healthyMillis: number;
  /** Whom the fleet comes back to. */
  readonly server: string;
  /** Attempts in a row before giving up; undefined: no end. */
  readonly triesMax: number | undefined;
};

export type ClientFacts = {
  readonly client: string;
  readonly site: number;
  readonly mode: TransferMode;
  readonly fleet: string;
};

/** A measurement agent; `name`: towards its server. The rest as in `agent.declared`. */
export type AgentFacts = {
  readonly agent: string;
  readonly site: string;
  readonly fleet: string;
  readonly name: string;
  readonly exact: boolean;
  readonly coded: boolean;
};

const UNKNOWN: Omit<RunFacts, 'endMicros'> = {
  scenario: 'unknown',
  lab: 'unknown',
  labReason: 'the trace has no beginning',
  seed: '',
  version: '',
  node: '',
  machine: '',
  rerun: '',
  target: 'the relay',
  timeScale: 1,
  plan: '',
  startedAt: '',
  known: false,
};

/** Everything the trace declares rather than observes. */
export class FactsCollector {
  #began: EventOf<'run.began'> | undefined;
  #ended: EventOf<'run.ended'> | undefined;
  /** In the order of declaration; the same array for the whole life of the collector. */
  readonly sites: SiteFacts[] = [];
  readonly #modes: { -readonly [mode in TransferMode]: number }[] = [];
  readonly #siteByName = new Map<string, number>();
  /** By the declared name and by `site/name`, whichever the events use. */
  readonly clientByWho = new Map<string, ClientFacts>();
  readonly clients: ClientFacts[] = [];
  readonly schedules = new Map<string, ScheduleFacts>();
  /** Measurement agents by who they are. */
  readonly agents = new Map<string, AgentFacts>();
  readonly goals = new Map<GoalName, number>();
  readonly notes: string[] = [];
  readonly #phases: { name: string; fromMicros: number }[] = [];

  event(event: TraceEvent): void {
    switch (event.type) {
      case 'run.began':
        this.#began = event;
        return;
      case 'run.ended':
        this.#ended = event;
        return;
      case 'run.phase':
        this.#phases.push({ name: event.name, fromMicros: event.t });
        return;
      case 'lab.started':
        this.notes.push(`lab of ${event.sites} sites up in ${(event.millis / 1000).toFixed(1)} s`);
        return;
      case 'goal.declared':
        this.goals.set(event.goal, event.value);
        return;
      case 'schedule.declared':
        this.schedules.set(event.fleet, scheduleOf(event));
        return;
      case 'site.declared':
        this.#declareSite(event);
        return;
      case 'client.declared':
        this.#declareClient(event);
        return;
      case 'agent.declared': {
        const { agent, site, fleet, name, exact, coded } = event;
        this.agents.set(agent, { agent, site, fleet, name, exact, coded });
        return;
      }
    }
  }

  /** Index of a site by name, or by the host path of somebody in it; undefined: not behind any NAT. */
  siteOf(who: string): number | undefined {
    const slash = who.indexOf('/');
    return this.#siteByName.get(slash < 0 ? who : who.slice(0, slash));
  }

  get ended(): EventOf<'run.ended'> | undefined {
    return this.#ended;
  }

  siteName(index: number): string {
    return this.sites[index]?.name ?? '';
  }

  run(endMicros: number): RunFacts {
    if (this.#began === undefined) return { ...UNKNOWN, endMicros };
    const { t: _t, who: _who, n: _n, type: _type, ...facts } = this.#began;
    return { ...facts, endMicros, known: true };
  }

  phases(endMicros: number): readonly Phase[] {
    return this.#phases.map((phase, index) => ({
      ...phase,
      toMicros: this.#phases[index + 1]?.fromMicros ?? endMicros,
    }));
  }

  #declareSite(event: EventOf<'site.declared'>): void {
    const { site, nat, natNote, natForm, link, linkNote, linkForm, clients } = event;
    const modes = { pool: 0, event: 0, multiplex: 0, forwarder: 0 };
    this.#siteByName.set(site, this.sites.length);
    this.#modes.push(modes);
    this.sites.push({ name: site, nat, natNote, natForm, link, linkNote, linkForm, clients, modes });
  }

  #declareClient(event: EventOf<'client.declared'>): void {
    const site = this.#siteByName.get(event.site);
    if (site === undefined) return;
    const client = { client: event.client, site, mode: event.mode, fleet: event.fleet };
    // A forwarder is a program with its own ways: it is shown, but it has no lane and no schedule of ours.
    if (event.mode !== 'forwarder') this.clients.push(client);
    this.clientByWho.set(event.client, client);
    this.clientByWho.set(`${event.site}/${event.client}`, client);
    const modes = this.#modes[site];
    if (modes !== undefined) modes[event.mode]++;
  }
}

const scheduleOf = (event: EventOf<'schedule.declared'>): ScheduleFacts => ({
  fleet: event.fleet,
  size: event.size,
  baseMillis: event.baseMillis,
  factor: event.factor,
  capMillis: event.capMillis,
  jitter: event.jitter,
  healthyMillis: event.healthyMillis,
  server: event.server ?? 'relay',
  triesMax: event.triesMax,
});
