/** Writes the table of ci/layers.ts into ARCHITECTURE.md: `npm run -s node -- ci/print-layers.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layersTable } from './layers.ts';
import { ROOT } from './tree.ts';

const page = join(ROOT, 'ARCHITECTURE.md');
const text = readFileSync(page, 'utf8');
// a function: the table's own `$` would be taken for a pattern's
writeFileSync(
  page,
  text.replace(/\| layer \|[\s\S]*?\n(?!\|)/, () => `${layersTable()}\n`),
);
