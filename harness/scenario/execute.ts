/** One run from a scenario to a trace: plan, lab, director. What the trace means is said by `judge.ts`. */
import { createHash } from 'node:crypto';
import { cpus, release } from 'node:os';
import type { Fault } from 'chaos-proxy';
import { FOR_EVER } from '../../reference-impl/backoff/schedule.ts';
import type { Chosen } from '../labs/choose.ts';
import { type LabContext, LabError } from '../labs/lab.ts';
import { trustEffects } from '../links/trust.ts';
import { Stamper } from '../trace/stamp.ts';
import type { GoalName, Happening } from '../trace/trace.ts';
import { type CrowdSizes, islandsOf, type PlanSample } from './crowd.ts';
import { PlanDirector } from './director.ts';
import { executeIslands } from './islands.ts';
import {
  type MeasurementChoice,
  measurementDeclarations,
  targetOf,
  withMeasurementChoice,
} from './measurement-plan.ts';
import type { Options, Plan, Scenario } from './scenario.ts';
import { seedText } from './seed-text.ts';

export type RunRequest = {
  readonly scenario: Scenario;
  readonly chosen: Chosen;
  readonly options: Options;
  /** Command of a foreign relay, with `{port}`. */
  readonly relayExec: string | undefined;
  /** A defect of our own relay (simulator only; elsewhere the mutants' program is run by relayExec). */
  readonly defect: string | undefined;
  /** Who plays in a measurement instead of us, and where points are stored. */
  readonly measurement?: MeasurementChoice;
  readonly version: string;
  readonly rerun: string;
  /** Where measurements of link effects are kept for a day; without it they are made again for each run. */
  readonly linkRecord?: string;
  /** From which size on a simulated run is counted and dealt to islands; tests give small ones. */
  readonly crowd?: CrowdSizes;
} & Pick<LabContext, 'sink' | 'signal' | 'progress' | 'keep' | 'tornDown'>;

export const planOf = (
  request: Pick<RunRequest, 'scenario' | 'options' | 'relayExec' | 'defect' | 'measurement'>,
): Plan => {
  const plan = request.scenario.plan(request.options);
  const exec = request.relayExec === undefined ? undefined : ['/bin/sh', '-c', `exec ${request.relayExec}`];
  const topology = withMeasurementChoice(plan.topology, request.measurement ?? {});
  const relay = topology.relay && { ...topology.relay, exec, defect: request.defect };
  return { ...plan, topology: { ...topology, relay } };
};

/** What is to happen, before anything happened: equal for equal seed and options. */
export const planHash = (plan: Plan): string =>
  createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 16);

export { seedText };

/** Resolves when the run is over and everything is torn down. @throws LabError, or the reason of the aborted signal */
export const execute = async (request: RunRequest): Promise<void> => {
  const { scenario, chosen, options, sink, signal, progress, keep, tornDown } = request;
  const islands = scenario.divisible === true ? islandsOf(options, request.crowd) : undefined;
  if (islands !== undefined)
    return executeIslands(request, islands, {
      plan: (island) => planOf({ ...request, options: island.options }),
      declarations: (plan, sample, hash) => declarations(request, plan, hash, sample),
    });
  const plan = planOf(request);
  const header = new Stamper(() => 0, sink);
  for (const event of declarations(request, plan, planHash(plan))) header.say('plan', event);
  refuseLinks(chosen, plan);
  if (chosen.lab.name !== 'sim') {
    const { linkRecord: record } = request;
    for (const trust of await trustEffects(streamFaults(chosen, plan), { record, signal, progress }))
      header.say('plan', { type: 'link.trusted', ...trust });
    signal.throwIfAborted();
  }
  const director = new PlanDirector(plan, options.seed);
  progress(`${scenario.name}: ${plan.topology.sites.length} sites`);
  await chosen.lab.run(plan.topology, director, {
    ...{ seed: options.seed, sink, signal, progress, keep },
    ...(tornDown === undefined ? {} : { tornDown }),
  });
};

/** Every fault of a link that the plan uses: what sites have all the time, and what the timeline adds. */
const linkFaults = ({
  topology,
  timeline,
}: Plan): readonly { readonly fault: Fault; readonly where: 'site' | 'timeline' }[] => [
  ...topology.sites.flatMap(({ link }) => link.faults.map((fault) => ({ fault, where: 'site' as const }))),
  ...timeline.flatMap(({ step }) =>
    step.do === 'link' ? [{ fault: step.fault, where: 'timeline' as const }] : [],
  ),
];

/** Those that act on streams: kernels do the others, and prove them by their own counters. */
const streamFaults = ({ lab }: Chosen, plan: Plan): readonly Fault[] =>
  linkFaults(plan)
    .map(({ fault }) => fault)
    .filter((fault) => lab.packetLinks?.isPacket(fault) !== true);

/** @throws LabError naming each fault that packet-level links cannot do */
const refuseLinks = ({ lab }: Chosen, plan: Plan): void => {
  const refusals = linkFaults(plan).flatMap(
    ({ fault, where }) => lab.packetLinks?.refusal(fault, where) ?? [],
  );
  if (refusals.length > 0)
    throw new LabError(`packet-level links: ${[...new Set(refusals)].join('; ')}`, 'use --links stream');
};

/** @param sample only those who are told of line by line */
function* declarations(
  request: RunRequest,
  plan: Plan,
  hash: string,
  sample?: PlanSample,
): Generator<Happening> {
  const { scenario, chosen, options } = request;
  const sim = chosen.lab.name === 'sim';
  yield {
    type: 'run.began',
    scenario: scenario.name,
    lab: chosen.lab.name,
    labReason: chosen.reason,
    seed: seedText(options.seed),
    version: request.version,
    node: process.version,
    machine: sim
      ? 'virtual time'
      : `${process.platform} ${release()}, ${cpus().length} x ${cpus()[0]?.model ?? 'CPU'}`,
    rerun: request.rerun,
    target:
      request.relayExec ??
      (request.defect === undefined ? "relaylab's own relay" : `our relay with ${request.defect}`),
    timeScale: 1,
    plan: hash,
    startedAt: sim ? '1970-01-01T00:00:00.000Z' : new Date().toISOString(),
  };
  for (const { name, actor } of plan.topology.servers ?? [])
    yield { type: 'server.declared', server: name, target: targetOf(actor) };
  const fleetOf = new Map(
    plan.fleets.flatMap(({ name, members }) => members.map((who) => [who, name] as const)),
  );
  const told = new Map<string, number>();
  for (const site of sample?.sites ?? plan.topology.sites) {
    const clients = site.actors.filter(
      ({ who, actor }) =>
        (actor.kind === 'client' || actor.kind === 'forwarder') && sample?.isTold(who) !== false,
    );
    const border = sample?.isWhole(site.name) === false ? 'border' : undefined;
    yield {
      type: 'site.declared',
      site: site.name,
      nat: site.nat.name,
      natNote: site.nat.note,
      natForm: border ?? chosen.lab.forms.nat,
      link: site.link.name,
      linkNote: site.link.note,
      linkForm: border ?? chosen.lab.packetLinks?.form(site) ?? chosen.lab.forms.link,
      clients: clients.filter(({ actor }) => actor.kind === 'client').length,
    };
    for (const { who, actor } of clients) {
      const fleet = fleetOf.get(who) ?? '';
      const mode = actor.kind === 'client' ? actor.mode : 'forwarder';
      told.set(fleet, (told.get(fleet) ?? 0) + 1);
      yield { type: 'client.declared', client: who, site: site.name, mode, fleet };
    }
  }
  yield* measurementDeclarations(plan.topology, fleetOf);
  for (const { name, schedule, members, server } of plan.fleets) {
    const { baseMillis, factor, capMillis, jitter, healthyMillis, triesMax } = schedule;
    yield {
      type: 'schedule.declared',
      fleet: name,
      size: sample === undefined ? members.length : (told.get(name) ?? 0),
      baseMillis,
      factor,
      capMillis,
      jitter,
      healthyMillis,
      ...(server === undefined ? {} : { server }),
      ...(triesMax >= FOR_EVER ? {} : { triesMax }),
    };
  }
  for (const [goal, value] of Object.entries(plan.goals) as [GoalName, number][])
    yield { type: 'goal.declared', goal, value };
}
