import t from 'tap';
import { loadScenario, scenarioNames } from '../harness/cli/scenario-files.ts';
import type { LabName } from '../harness/labs/lab.ts';
import { siteWay } from '../harness/labs/paths.ts';
import { serverNames } from '../harness/labs/topology.ts';
import { planHash, planOf } from '../harness/scenario/execute.ts';
import type { Options, Scenario } from '../harness/scenario/scenario.ts';

const LABS: readonly LabName[] = ['sim', 'local', 'docker', 'netns'];
const optionsOf = (scenario: Scenario, given: Partial<Options> = {}): Options => ({
  ...scenario.defaults,
  lab: 'sim',
  seed: 1,
  ...given,
});
const request = (scenario: Scenario, given: Partial<Options> = {}) => ({
  scenario,
  options: optionsOf(scenario, given),
  relayExec: undefined,
  defect: undefined,
});

for (const name of scenarioNames())
  t.test(`${name} is a plan that every lab can start`, async (t) => {
    const scenario = await loadScenario(name);
    t.equal(scenario.name, name, 'called like its file');
    t.ok(scenario.summary.length > 10 && scenario.summary.length <= 110, 'with one line for the list');
    t.ok(scenario.checks.length > 0);
    for (const lab of LABS)
      for (const size of [{}, { sites: 1, clients: 1 }, { sites: 3, clients: 5, users: 2 }, { sites: 40 }]) {
        const plan = planOf(request(scenario, { lab, ...size }));
        const { sites, outside } = plan.topology;
        const names = [
          ...outside.map(({ who }) => who),
          ...sites.flatMap((site) => [
            ...site.actors.map(({ who }) => who),
            ...siteWay(site, plan.topology, true, undefined).hops.map(({ who }) => who),
          ]),
        ];
        t.equal(new Set(names).size, names.length, 'no name twice');
        const servers = serverNames(plan.topology);
        const known = new Set([...servers, ...names]);
        for (const { actor } of [...outside, ...sites.flatMap(({ actors }) => actors)])
          for (const ref of ['relay', 'service', 'to', 'server'] as const)
            if (ref in actor)
              t.ok(known.has(String(actor[ref as keyof typeof actor])), `${ref} of ${actor.kind}`);
        for (const { who } of sites.flatMap((site) => site.actors))
          t.ok(
            sites.some((site) => who.startsWith(`${site.name}/`)),
            `${who} lives at its site`,
          );
        for (const member of plan.fleets.flatMap(({ members }) => members)) t.ok(known.has(member));
        for (const { step } of plan.timeline) {
          if ('site' in step)
            t.ok(
              sites.some((site) => site.name === step.site),
              `${step.site} has a fault`,
            );
          if (step.do === 'stop') t.ok(known.has(step.who));
          if (step.do === 'outage') t.ok(servers.includes(step.server ?? 'relay'), 'the server that is away');
          if (step.do === 'read') t.ok(servers.includes(step.server), 'the server whose store is read');
          if ('client' in step) t.ok(known.has(step.client), `${step.do} to ${step.client}`);
          if (step.do === 'throughput')
            for (const ref of [step.source, ...step.clients]) t.ok(known.has(ref), `${ref} is measured`);
        }
        t.ok(
          plan.timeline.some(({ step }) => step.do === 'finish'),
          'it has an end',
        );
      }
  });

t.test('a plan follows from its options alone', async (t) => {
  for (const name of scenarioNames()) {
    const scenario = await loadScenario(name);
    const hash = (given: Partial<Options> = {}): string => planHash(planOf(request(scenario, given)));
    t.equal(hash(), hash(), name);
    t.match(hash(), /^[0-9a-f]{16}$/);
  }
});
