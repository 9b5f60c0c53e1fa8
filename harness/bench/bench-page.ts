/** report.html of a bench: one self-contained page, printed from the same model as report.json and the terminal's tables. */
import type { Standing } from '../report/checks.ts';
import { CLASS, copyable, esc, mark, r1 } from '../report/html/markup.ts';
import { shell } from '../report/html/shell.ts';
import type { BenchReport } from './bench-run.ts';
import { figure, limitWords, verdictSentence } from './bench-terminal.ts';
import { countVerdicts, type GoalVerdict, type JudgedGoal } from './goals.ts';
import type { Measured, Row } from './measure.ts';
import { BENCH_STYLE } from './page-style.ts';

/** The mark of a verdict. */
export const STANDINGS: Readonly<Record<GoalVerdict, Standing>> = {
  met: 'pass',
  missed: 'fail',
  undecided: 'inconclusive',
  'not measured': 'not-applicable',
};

const KIND: Readonly<Record<GoalVerdict, string>> = {
  met: 'met',
  missed: 'missed',
  undecided: 'undecided',
  'not measured': 'none',
};

/** Place on a log axis of a quarter to four times the goal, in per cent. */
const place = (times: number): number =>
  Number.isFinite(times) && times > 0 ? Math.min(100, Math.max(0, ((Math.log2(times) + 2) / 4) * 100)) : 0;

/** How many times better than the goal asks: the axis on which right is met, whichever way is better. */
const better = ({ sense, limit }: JudgedGoal, value: number): number => {
  if (sense === 'at least') return value / limit;
  return value <= 0 ? Number.MAX_VALUE : limit / value;
};

const plot = (goal: JudgedGoal): string => {
  const { figure: found, verdict } = goal;
  if (found === undefined) return '';
  const ends = [place(better(goal, found.low)), place(better(goal, found.high))];
  const [left, right] = [Math.min(...ends), Math.max(...ends)];
  const kind = KIND[verdict];
  return `<span class="tr" aria-hidden="true"><i class="one" style="left:50%"></i><i class="ci ${kind}" style="left:${r1(left)}%;width:${r1(right - left)}%"></i><i class="pt ${kind}" style="left:${r1(place(better(goal, found.value)))}%"></i></span>`;
};

/** A row of the table of goals. */
export const goalRow = (goal: JudgedGoal): string => {
  const { what, against, figure: found, verdict, why, unit } = goal;
  const begin = `<tr><td class="mkc">${mark(STANDINGS[verdict], false)}</td><th scope="row">${esc(what)}</th><td>${esc(against ?? '')}</td><td class="num dim">${esc(limitWords(goal))}</td>`;
  const end = `<td class="word t-${KIND[verdict]}">${verdict}</td></tr>`;
  if (found === undefined) return `${begin}<td class="whyc dim" colspan="3">${esc(why ?? '')}</td>${end}`;
  const tail = unit === '' ? '' : ` ${esc(unit)}`;
  return `${begin}<td class="fo">${plot(goal)}</td><td class="num"><b>${figure(found.value)}${tail}</b> <span class="dim3">${figure(found.low)} to ${figure(found.high)}</span></td><td class="num dim">${goal.thrift === undefined ? '' : `${figure(goal.thrift.value)} x`}</td>${end}`;
};

const AXIS =
  'The axis is scaled to each goal: right of the line is met. Only an interval that lies on one side decides.';
/** What the figures of the goals are. */
const LEDES: Readonly<Record<BenchReport['bench'], string>> = {
  relay: `Ratios are ours over the peer’s in the same round, both from this run. ${AXIS} CPU: theirs over ours for the same work, which a busy machine disturbs least; it decides nothing.`,
  measurement: `By CPU time, which a busy machine disturbs least: a ratio is Alumet’s CPU time over ours for the same points. Where its binary was given both are from this run; “as recorded elsewhere” is one figure measured once on another machine of this kind, so read such a ratio as a hint of size. ${AXIS}`,
  identity: `CPU time is the relay’s alone: ours over Offset’s for the same messages and handshakes. Where its binary was given both are from this run; “as recorded elsewhere” is one figure measured once on another machine of this kind, so read such a ratio as a hint of size. Throughput is beside node:tls in the same round. ${AXIS}`,
};

const goalsSection = (goals: readonly JudgedGoal[], lede: string): string =>
  `<section id="goals"><div class="wrap"><h2>Goals</h2><p class="lede">${lede}</p><div class="scroll"><table class="forest"><caption class="vh">Goals with figure, interval and verdict</caption><thead><tr><td class="mkc"></td><th scope="col">what</th><th scope="col">against</th><th scope="col" class="num">goal</th><th scope="col" class="fo sc"><span style="left:25%">half</span><span style="left:50%">the goal</span><span style="left:75%">twice</span></th><th scope="col" class="num">found, 95 %</th><th scope="col" class="num">CPU</th><th scope="col">verdict</th></tr></thead><tbody>${goals.map(goalRow).join('')}</tbody></table></div></div></section>`;

const besides = (row: Row): string =>
  Object.entries(row.beside)
    .map(([name, value]) => `${esc(name)} ${figure(value)}`)
    .join(', ');

const bar = (row: Row, max: number): string => {
  const { value, low, high, rounds } = row.estimate;
  if (rounds === 0)
    return `<tr><th scope="row">${esc(row.name)}</th><td colspan="3" class="tiny dim none">not measured: ${esc(row.why ?? 'no round gave a figure')}</td></tr>`;
  const share = (part: number): string => r1(Math.max(0, Math.min(100, (part / max) * 100)));
  return `<tr${row.own ? ' class="own"' : ''}><th scope="row">${esc(row.name)}</th><td class="bc"><span class="bar1" aria-hidden="true"><i style="width:${share(value)}%"></i><u style="left:${share(low)}%;width:${r1(Math.max(0, ((high - low) / max) * 100))}%"></u></span></td><td class="num"><b>${figure(value)}</b></td><td class="tiny dim3 bes">${besides(row)}</td></tr>`;
};

/** A measure as a bar for each contender, the best first. */
export const panel = (measure: Measured): string => {
  const { title, words, unit } = measure;
  const sign = measure.better === 'more' ? -1 : 1;
  const rows = [...measure.rows].sort((a, b) => {
    const order = sign * (a.estimate.value - b.estimate.value);
    return Number.isNaN(order) ? b.estimate.rounds - a.estimate.rounds : order;
  });
  const max = Math.max(...rows.map(({ estimate }) => (estimate.rounds === 0 ? 0 : estimate.high)));
  return `<figure class="panel"><h3>${esc(title)}</h3><p class="tiny dim">${esc(words)}</p><table><caption class="vh">${esc(title)}, ${esc(unit)}</caption><thead class="vh"><tr><th scope="col">program</th><th scope="col">chart</th><th scope="col">${esc(unit)}</th><th scope="col">beside it</th></tr></thead><tbody>${rows.map((row) => bar(row, max)).join('')}</tbody></table></figure>`;
};

const how = (report: BenchReport, command: string): string => {
  const { machine, versions, rounds, seconds, quick } = report;
  const peers = Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
  const facts: readonly (readonly [string, string])[] = [
    [
      'rounds',
      `${rounds} interleaved rounds, order drawn by the seed; medians; the interval is the sign test’s, so it assumes nothing about the noise`,
    ],
    [
      'machine',
      `${machine.cpus} processors, ${Math.round(machine.memoryBytes / 2 ** 30)} GiB, ${machine.system}, Node ${machine.node}; load of others is not kept away, so read ratios rather than figures`,
    ],
    ['peers', peers === '' ? 'none that tells its version' : peers],
    ['extent', quick ? 'quick: the nearest rivals, short turns' : 'full: everybody who is here'],
    ['took', `${Math.round(seconds)} s`],
  ];
  const list = facts.map(([name, text]) => `<dt>${name}</dt><dd>${esc(text)}</dd>`).join('');
  return `<section id="how"><div class="wrap"><h2>How it was measured</h2><dl class="kv">${list}</dl><div class="gap">${copyable(command)}</div></div></section>`;
};

/** What all goals come to. */
export const standingOf = (goals: readonly JudgedGoal[]): Standing => {
  const counts = countVerdicts(goals);
  if (counts.missed > 0) return 'fail';
  return counts.undecided > 0 || counts.met === 0 ? 'inconclusive' : 'pass';
};

/** The page. */
export const renderBenchPage = (report: BenchReport): string => {
  const { bench, goals, measures, seed, quick } = report;
  const counts = countVerdicts(goals);
  const standing = standingOf(goals);
  const sentence = verdictSentence(goals);
  const list = (Object.keys(STANDINGS) as GoalVerdict[])
    .map(
      (verdict) =>
        `<li>${mark(STANDINGS[verdict], false)}<span><b>${counts[verdict]}</b> ${verdict}</span></li>`,
    )
    .join('');
  const command = `npm run bench ${bench} -- ${quick ? '--quick ' : ''}--seed ${seed.toString(16)}`;
  const badge =
    counts.missed > 0 ? `${counts.missed} missed` : counts.undecided > 0 ? 'undecided' : 'all met';
  return shell({
    title: `bench ${bench}: ${sentence}`,
    what: `<b>bench ${bench}</b>${quick ? ', quick' : ''}, seed ${seed.toString(16)}`,
    standing,
    nav: [
      ['goals', 'Goals'],
      ['bars', 'Side by side'],
      ['how', 'How it was measured'],
    ],
    body: `<style>${BENCH_STYLE}</style><section class="v"><div class="wrap"><p class="badges"><span class="badge ${CLASS[standing]}">${mark(standing, false)}${badge}</span></p><h1>${esc(sentence)}.</h1><p class="asked">Goals of speed are observations: they never fail a run.</p><ul class="counts">${list}</ul></div></section>${goalsSection(goals, LEDES[bench])}<section id="bars"><div class="wrap"><h2>Side by side</h2><p class="lede">Filled: ours. Outlined: peers. The thin bar is the 95 % interval.</p><div class="panels">${measures.map(panel).join('')}</div></div></section>${how(report, command)}`,
    data: '{}',
    foot: 'Printed by relaylab from the same model as report.json. Self-contained: no script, style, font or picture is fetched.',
  });
};
