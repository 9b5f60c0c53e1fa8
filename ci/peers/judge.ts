/**
 * `npm run peers`: other people's programs before the gate, each where its toolchain is; what is not there is said, not skipped
 * in silence. Results go to reports/peers, with a matrix in its README. Whole programs are given by flags:
 * `npm run peers -- --go-relay ./go-relay --alumet ./alumet-agent --strelay ./strelay`; `--only` takes how a name begins.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { GateModel } from '../../harness/conformance/gate.ts';
import { type Peer, PROGRAM_FLAGS, peersOf } from './peers.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const { values: flags } = parseArgs({
  options: {
    ...Object.fromEntries(PROGRAM_FLAGS.map((name) => [name, { type: 'string' } as const])),
    only: { type: 'string' },
  },
});

const cell = (text: string): string =>
  (text.split('\n')[0] ?? '')
    .replace(/\s+/g, ' ')
    .replace(/[|`\\]/g, ' ')
    .slice(0, 150)
    .trim();

/** One page a peer and profile: date, versions, command, each case that does not hold, and what is known of why (remarks/). */
const page = ({ name, about, command, profile, lacks, jobs, path }: Peer, model: GateModel): string => {
  const rows = model.rows.filter(({ standing }) => standing === 'fail' || standing === 'observation');
  const typed = path === undefined ? command : command.replaceAll(...path);
  const lines = [
    `# ${about}: ${profile}`,
    '',
    `Date ${model.startedAt.slice(0, 10)}, ${model.machine.replace(/,.*/, '')}, relaylab ${model.version}.`,
    '',
    `    relaylab conformance ${profile} --exec '${typed}'${jobs === undefined ? '' : ` --jobs ${jobs}`} --seed ${model.seed}`,
    '',
    ...(lacks === undefined ? [] : [`Declared as lacking: ${lacks.join(', ')}.`, '']),
    `${model.counts.pass} cases hold, ${model.counts.fail} fail, ${model.counts.inconclusive} inconclusive, ${model.counts.observation} observed, ${model.counts['not-applicable']} not applicable.`,
  ];
  if (rows.length > 0)
    lines.push(
      '',
      '| case | clause | what came |',
      '|---|---|---|',
      ...rows.map(
        (row) => `| ${row.id.slice(profile.length + 1)} | ${row.clause} ${row.level} | ${cell(row.got)} |`,
      ),
    );
  const remark = new URL(`remarks/${name}.${profile}.md`, import.meta.url);
  if (existsSync(remark)) lines.push('', readFileSync(remark, 'utf8').trimEnd());
  return `${lines.join('\n')}\n`;
};

const judged = (peer: Peer): GateModel | undefined => {
  const folder = mkdtempSync(join(tmpdir(), 'relaylab-peers-'));
  try {
    const args = ['conformance', peer.profile, '--exec', peer.command, '--seed', '7', '--reports', folder];
    if (peer.jobs !== undefined) args.push('--jobs', `${peer.jobs}`);
    if (peer.lacks !== undefined) {
      const file = join(folder, 'capabilities.json');
      writeFileSync(
        file,
        JSON.stringify({ capabilities: Object.fromEntries(peer.lacks.map((name) => [name, false])) }),
      );
      args.push('--capabilities', file);
    }
    spawnSync(process.execPath, ['harness/cli/relaylab.ts', ...args], {
      cwd: root,
      stdio: ['ignore', 'ignore', 2],
    });
    const [report] = globSync(`${folder}/conformance/*/*/report.json`);
    return report === undefined ? undefined : (JSON.parse(readFileSync(report, 'utf8')) as GateModel);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

for (const peer of peersOf(flags)) {
  if (typeof flags.only === 'string' && !`${peer.name} ${peer.profile}`.startsWith(flags.only)) continue;
  if (!existsSync(join(root, peer.needs)) && !existsSync(peer.needs)) {
    console.log(
      `${peer.name} ${peer.profile}: left out, ${peer.needs} is not there (node ci/peers/build.ts builds what it can)`,
    );
    continue;
  }
  const model = judged(peer);
  if (model === undefined) {
    console.log(`${peer.name} ${peer.profile}: left out, it did not come up`);
    continue;
  }
  writeFileSync(join(root, 'reports/peers', `${peer.name}.${peer.profile}.md`), page(peer, model));
  const { pass, fail, inconclusive } = model.counts;
  console.log(`${peer.name} ${peer.profile}: ${pass} hold, ${fail} fail, ${inconclusive} inconclusive`);
}

/** The matrix is made of the pages that are there, those of earlier runs and those written by hand included. */
const pages = globSync('reports/peers/*.md', { cwd: root })
  .filter((file) => !file.endsWith('README.md'))
  .sort()
  .map((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const title = /^# (.*)/.exec(text)?.[1] ?? file;
    const date = /\d{4}-\d\d-\d\d/.exec(text)?.[0] ?? '';
    const counts = /^(\d+ cases hold.*|\d+ of \d+ cases hold.*)$/m.exec(text)?.[1] ?? '';
    return `| [${title}](${file.replace('reports/peers/', '')}) | ${date} | ${cell(counts)} |`;
  });
writeFileSync(
  join(root, 'reports/peers/README.md'),
  `# Other people's programs before the gate\n\nWritten by \`npm run peers\`; each page has date, versions, the exact command, and every case that does not hold.\n\n| who, and as what | date | found |\n|---|---|---|\n${pages.join('\n')}\n\n${readFileSync(new URL('remarks/origins.md', import.meta.url), 'utf8')}`,
);
