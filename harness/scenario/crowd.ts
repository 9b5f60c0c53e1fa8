/**
 * When a simulated run is too large to be kept whole, and what becomes of it then: the one place with its sizes.
 * harness/labs/sim/README.md says what it means for a verdict.
 */
import { rngFor } from '../../reference-impl/machine/rng.ts';
import type { Sample } from '../labs/lab.ts';
import type { Site } from '../labs/topology.ts';
import type { Options, Plan, Step, TimelineEntry } from './scenario.ts';

export type CrowdSizes = {
  /** From so many clients on most sites have a border instead of hosts, and most clients are counted instead of told. */
  readonly clientsMin: number;
  /** About so many clients are told of line by line, spread evenly over all; those of sites with faults come on top. */
  readonly clientsTold: number;
  /**
   * More clients than this do not share a relay: they are dealt to islands. 10,000 of them hold about 14,000 connections, and a
   * relay takes 20,000 unless told otherwise. Worlds from 5,000 to 14,000 clients cost the same a client; one of all is far dearer.
   */
  readonly clientsPerIsland: number;
};

export const CROWD: CrowdSizes = { clientsMin: 2_000, clientsTold: 1_000, clientsPerIsland: 10_000 };

/** One of the worlds of a run: plans of its own, relay of its own. */
export type Island = {
  /** From 1. */
  readonly island: number;
  readonly of: number;
  readonly options: Options;
  /** Every how manieth client is told of. */
  readonly stride: number;
};

/**
 * The worlds of a run; undefined: it is small enough, or not simulated, to be run as it is. Sites never dial each other, so they
 * can be dealt out; users are dealt out too, at least one an island.
 */
export const islandsOf = (options: Options, sizes: CrowdSizes = CROWD): readonly Island[] | undefined => {
  const clients = options.sites * options.clients;
  if (options.lab !== 'sim' || clients < sizes.clientsMin) return undefined;
  const of = Math.min(options.sites, Math.ceil(clients / sizes.clientsPerIsland));
  const stride = Math.max(1, Math.floor(clients / sizes.clientsTold));
  return Array.from({ length: of }, (_, index) => {
    const sites = dealt(options.sites, of, index);
    const users = options.users === 0 ? 0 : Math.max(1, dealt(options.users, of, index));
    // One world is the run itself; several must not throw the same dice.
    const seed = of === 1 ? options.seed : rngFor(options.seed, `island/${index + 1}`).int32() >>> 0;
    const own = { ...options, sites, users, seed };
    return { island: index + 1, of, stride, options: index === 0 ? own : alone(own) };
  });
};

/** Agents that measure, and nodes by key, are told of line by line: the first island has them for all. */
const alone = (options: Options): Options => ({
  ...options,
  ...(options.agents === undefined ? {} : { agents: 0 }),
  ...(options.identity === undefined ? {} : { identity: 0 }),
});

const dealt = (all: number, of: number, index: number): number =>
  Math.floor((all * (index + 1)) / of) - Math.floor((all * index) / of);

/** Who a step of the timeline speaks of: sites and actors. */
const namedBy = ({ when, step }: TimelineEntry): readonly string[] => {
  const names: (string | undefined)[] = [];
  if (typeof when !== 'number')
    names.push(when.after.who, 'site' in when.after ? when.after.site : undefined);
  for (const key of ['site', 'who', 'client', 'source'] as const satisfies readonly StepKey[])
    if (key in step) names.push((step as { readonly [key in StepKey]?: string })[key]);
  if (step.do === 'throughput') names.push(...step.clients);
  return names.filter((name): name is string => name !== undefined && name !== '');
};
type StepKey = Extract<KeysOf<Step>, 'site' | 'who' | 'client' | 'source'>;
type KeysOf<T> = T extends unknown ? keyof T : never;

const siteOf = (who: string): string => (who.includes('/') ? who.slice(0, who.indexOf('/')) : who);

/** What of a plan is told of line by line, and which sites keep their NAT and link as hosts. */
export type PlanSample = Sample & {
  /** Clients told of. */
  readonly told: number;
  /** Sites with somebody who is told of. */
  readonly sites: readonly Site[];
};

/** What a site that the timeline does not name is left with. */
const CROWD_KINDS: ReadonlySet<string> = new Set(['client', 'service', 'forwarder', 'source']);

/**
 * The plan with nobody but the relay's clients, and what they need, at sites that the timeline does not name: totals know clients
 * only, and whoever else would have to be told of line by line (measurement agents: two a site).
 */
export const thinned = (plan: Plan): Plan => {
  const whole = new Set(plan.timeline.flatMap(namedBy).map(siteOf));
  const gone = new Set<string>();
  const sites = plan.topology.sites.map((site) => {
    if (whole.has(site.name)) return site;
    const actors = site.actors.filter(({ who, actor }) => {
      const stays = CROWD_KINDS.has(actor.kind);
      if (!stays) gone.add(who);
      return stays;
    });
    return actors.length === site.actors.length ? site : { ...site, actors };
  });
  if (gone.size === 0) return plan;
  const fleets = plan.fleets.map((fleet) => ({
    ...fleet,
    members: fleet.members.filter((who) => !gone.has(who)),
  }));
  return { ...plan, topology: { ...plan.topology, sites }, fleets };
};

/** In one of several islands so many clients of a whole site are told of: what a fault does to one it does to all. */
const TOLD_OF_WHOLE_SITE = 2;

/**
 * Sites that the timeline names are whole and told of, in one of several islands the first of their clients and those named; of
 * all others every `stride`-th client is told of. With a client goes the service behind it.
 */
export const sampleOf = (plan: Plan, { stride, of }: Pick<Island, 'stride' | 'of'>): PlanSample => {
  const named = new Set(plan.timeline.flatMap(namedBy));
  const whole = new Set([...named].map(siteOf));
  const wholeMax = of === 1 ? Number.POSITIVE_INFINITY : TOLD_OF_WHOLE_SITE;
  const told = new Set<string>();
  const silent = new Set<string>();
  const sites: Site[] = [];
  let index = 0;
  let clients = 0;
  for (const site of plan.topology.sites) {
    const before = told.size;
    let nth = 0;
    for (const { who, actor } of site.actors) {
      if (actor.kind !== 'client') {
        if (whole.has(site.name) || actor.kind === 'forwarder' || actor.kind === 'source') told.add(who);
        else silent.add(who);
        continue;
      }
      const isTold = whole.has(site.name) ? nth++ < wholeMax || named.has(who) : index++ % stride === 0;
      if (!isTold) {
        silent.add(who);
        continue;
      }
      clients++;
      told.add(who).add(actor.service);
    }
    if (told.size > before) sites.push(site);
  }
  return {
    isWhole: (site) => whole.has(site),
    // What stands outside, the relay, and the hops of whole sites are not among the actors of any site.
    isTold: (who) => told.has(who) || !silent.has(who),
    told: clients,
    sites,
  };
};
