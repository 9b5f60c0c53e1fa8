import t from 'tap';
import { refuseMissing } from './client-target.ts';
import { TargetError } from './target.ts';

for (const [command, says] of [
  ['./no-such-agent {config}', /^\.\/no-such-agent cannot be started[\s\S]*Paths are seen from \//],
  ['no-such-agent {config}', /no folder of PATH has it\.\nGive its path: --exec '\.\/no-such-agent/],
  ['/ {config}', /may not be run/],
] as const)
  t.test(`${command} is refused before the first case`, { skip: process.platform === 'win32' }, async (t) => {
    await t.rejects(refuseMissing(command), says);
    await t.rejects(refuseMissing(command), TargetError);
  });

t.test('what can be started is not refused', async (t) => {
  await t.resolves(refuseMissing(`'${process.execPath}' {config}`));
  await t.resolves(refuseMissing('sh -c "exit 1" {config}'));
  await t.resolves(refuseMissing('{config}/agent'), 'nobody knows yet what that is');
});
