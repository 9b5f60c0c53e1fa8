#!/usr/bin/env node
/** Our postcard codec with one defect, as an adapter: `adapter.ts --defect NAME`; `--defect list` says which there are. */
import { serveLines } from '../../subjects/json-lines.ts';
import { answer, type Request } from '../../subjects/postcard-answers.ts';
import { CODEC_DEFECTS } from './defects.ts';

const [flag, name = ''] = process.argv.slice(2);
const defect = flag === '--defect' ? CODEC_DEFECTS[name] : undefined;
if (defect !== undefined) {
  const spoil = defect.spoil();
  serveLines<Request>((request) => (request.op === 'hello' ? undefined : spoil(request)) ?? answer(request));
} else if (name === 'list')
  for (const [called, { clause, says }] of Object.entries(CODEC_DEFECTS))
    process.stdout.write(`${called.padEnd(20)} ${clause.padEnd(18)} ${says}\n`);
else {
  process.stderr.write('adapter.ts --defect NAME; --defect list says which there are\n');
  process.exitCode = 2;
}
