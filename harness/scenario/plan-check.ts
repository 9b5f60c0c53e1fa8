/** What a plan says of hosts, actors and clauses that do not exist: found before a lab starts, not when the step's turn comes. */
import { closest } from 'fastest-levenshtein';
import { CLAUSES } from '../conformance/clauses/registry.ts';
import { siteWay } from '../labs/paths.ts';
import { serverNames } from '../labs/topology.ts';
import type { Plan, Step } from './scenario.ts';

/** What actors name other actors and servers by. */
const REFERENCES = ['relay', 'service', 'to', 'server'] as const;

const notThere = (where: string, what: string, got: string, known: readonly string[]): string => {
  const nearest = known.length === 0 ? 'there is none' : `nearest: '${closest(got, known as string[])}'`;
  return `${where}: unknown ${what} '${got}'; ${nearest}`;
};

/** @returns a sentence for each mistake, none for a plan that a lab can carry out */
export const planMistakes = (plan: Plan): readonly string[] => {
  const { topology, timeline, fleets } = plan;
  const mistakes: string[] = [];
  const sites = topology.sites.map(({ name }) => name);
  const servers = serverNames(topology);
  const hosted = [...topology.outside, ...topology.sites.flatMap(({ actors }) => actors)];
  const actors = hosted.map(({ who }) => who);
  const ways = topology.sites.flatMap((site) =>
    siteWay(site, topology, true, undefined).hops.map(({ who }) => who),
  );
  const everybody = [...servers, ...actors, ...ways];
  const seen = new Set<string>();
  for (const name of everybody) {
    if (seen.has(name)) mistakes.push(`two of them are called '${name}': every name must be its owner's own`);
    seen.add(name);
  }
  const siteNames: ReadonlySet<string> = new Set(sites);
  const must = (where: string, what: string, got: string, known: readonly string[]): void => {
    if (known === everybody ? !seen.has(got) : !known.includes(got))
      mistakes.push(notThere(where, what, got, known));
  };
  for (const { name, actors: inside } of topology.sites)
    for (const { who } of inside)
      if (!siteNames.has(who.slice(0, who.indexOf('/'))))
        mistakes.push(`'${who}' stands at site '${name}': its name must begin with a site's name and '/'`);
  for (const { who, actor } of hosted)
    for (const reference of REFERENCES)
      if (reference in actor)
        must(`${who} (${actor.kind})`, reference, String(actor[reference as keyof typeof actor]), everybody);
  for (const { name, members } of fleets)
    for (const member of members) must(`fleet ${name}`, 'member', member, everybody);
  for (const [index, { step }] of timeline.entries())
    for (const [what, got, known] of namedBy(step, { sites, servers, everybody }))
      must(`step ${index + 1} (${step.do})`, what, got, known);
  if (!timeline.some(({ step }) => step.do === 'finish'))
    mistakes.push("the timeline has no step 'finish': the run would end at its time limit, as incomplete");
  return mistakes;
};

const CLAUSE_IDS = [...CLAUSES.keys()];

type Named = readonly [what: string, got: string, known: readonly string[]];

const namedBy = (
  step: Step,
  known: Readonly<Record<'sites' | 'servers' | 'everybody', readonly string[]>>,
): readonly Named[] => {
  switch (step.do) {
    case 'nat':
    case 'link':
      return [['site', step.site, known.sites]];
    case 'outage':
      return [['server', step.server ?? 'relay', known.servers]];
    case 'read':
      return [['server', step.server, known.servers]];
    case 'stop':
      return [['actor', step.who, known.everybody]];
    case 'tunnel':
      return [['client', step.client, known.everybody]];
    case 'probe':
      return [
        ['client', step.client, known.everybody],
        ['clause', step.clause, CLAUSE_IDS],
      ];
    case 'throughput':
      return [step.source, ...step.clients].map((ref): Named => ['actor', ref, known.everybody]);
    default:
      return [];
  }
};
