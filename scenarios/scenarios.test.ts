import t from 'tap';
import { loadScenario, scenarioNames } from '../harness/cli/scenario-files.ts';
import type { LabName } from '../harness/labs/lab.ts';
import { planHash, planOf } from '../harness/scenario/execute.ts';
import { planMistakes } from '../harness/scenario/plan-check.ts';
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
        t.same(planMistakes(plan), [], JSON.stringify({ lab, ...size }));
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
