/** Prints docs/clauses.md anew; with a revision (`2026-11`) as argument it freezes what is scored today under that name. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CLAUSES } from '../clauses/registry.ts';
import { PROFILES } from '../suites/registry.ts';
import { clausePage } from './clause-page.ts';
import { scoredNow } from './scored.ts';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

mkdirSync(path('../../../docs'), { recursive: true });
writeFileSync(path('../../../docs/clauses.md'), clausePage([...CLAUSES.values()], PROFILES));
const [revision] = process.argv.slice(2);
if (revision !== undefined)
  writeFileSync(
    path(`./${revision}.json`),
    `${JSON.stringify(scoredNow(revision, PROFILES), undefined, 2)}\n`,
  );
