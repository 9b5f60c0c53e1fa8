/**
 * benny's table of one set: `codec-suite SET POINTS SECONDS CONTENDER...` runs every contender one after the other in this process and
 * prints operations a second. Beside it, not instead of it, the bench's own rounds judge: those are interleaved and count CPU.
 */
import { add, complete, configure, cycle, suite } from 'benny';
import { type Case, sink } from '../case.ts';
import { SETS } from '../cases.ts';
import { messageFormat, smallFormat } from '../formats/formats.ts';

const [set = '', points = '0', seconds = '1', ...contenders] = process.argv.slice(2);
const isSmall = set === 'small';
const options = { minSamples: 5, maxTime: Number(seconds), minTime: Number(seconds) / 10 };

type Named = { readonly name: string; readonly cases: readonly Case[] };

const loaded: Named[] = [];
for (const id of contenders) {
  const { name } = isSmall ? await smallFormat(id) : await messageFormat(id);
  const cases = isSmall ? await SETS.small(id) : await SETS.measurements(id, Number(points));
  loaded.push({ name, cases });
}

/** What is compiled while it is measured would be measured, too. */
const warmUp = ({ run }: Case): void => {
  const end = process.cpuUsage().user + Number(seconds) * 1e6;
  while (process.cpuUsage().user < end) run(1);
};
for (const { cases } of loaded) cases.forEach(warmUp);

type Summary = Parameters<NonNullable<Parameters<typeof complete>[0]>>[0];
const inLines = ({ results }: Summary): void => {
  for (const { name, ops, margin } of results)
    console.log(`  ${name}: ${ops.toLocaleString('en').replaceAll(',', ' ')} ops/s, ±${margin.toFixed(2)} %`);
};
/** benny draws its table again and again over itself: into a file or a pipe go only its results. */
const shown = process.stdout.isTTY ? [cycle(), complete()] : [cycle(() => ''), complete(inLines)];

const titles = isSmall
  ? { encode: 'Write a small message', decode: 'Read a small message' }
  : { encode: `Write ${points} points`, decode: `Read ${points} points` };
for (const [what, title] of Object.entries(titles)) {
  const entries = loaded.flatMap(({ name, cases }) =>
    cases
      .filter((one) => one.name.startsWith(what))
      .map((one) =>
        add(one.name === what ? name : `${name}, ${one.name}`, () => {
          one.run(1);
          return sink.last;
        }),
      ),
  );
  await suite(title, configure({ cases: options }), ...entries, ...shown);
}
