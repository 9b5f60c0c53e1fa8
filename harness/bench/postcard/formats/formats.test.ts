import t from 'tap';
import { mustBeSame } from '../case.ts';
import { formatCases } from '../cases.ts';
import { messages, smallMessages } from '../measurement-data.ts';
import { OURS, RIVALS } from '../names.ts';
import type { Format } from './format.ts';
import { MESSAGE_FORMATS, messageFormat, SMALL_FORMATS, smallFormat } from './formats.ts';
import { SCHEMALESS_FORMATS } from './schemaless-formats.ts';

const NAMES: readonly string[] = [...Object.values(OURS), ...Object.values(RIVALS)];
const SEED = 7;

t.test('every format gives back the messages it took, under a name of its own', async (t) => {
  const values = messages(2, 50, SEED);
  const names = new Set<string>();
  for (const id of [...MESSAGE_FORMATS, ...SCHEMALESS_FORMATS]) {
    const format = await messageFormat(id);
    const [encode, decode] = formatCases(format, values);
    t.match([encode?.name, decode?.name], ['encode', 'decode'], format.name);
    encode?.run(3);
    decode?.run(3);
    t.doesNotThrow(() => decode?.check?.(), format.name);
    t.ok(decode?.check);
    t.ok((encode?.bytes ?? 0) > 50 * 50, `${format.name}: ${encode?.bytes} bytes`);
    t.ok(NAMES.includes(format.name), `${format.name} is known to goals and page`);
    names.add(format.name);
  }
  t.equal(names.size, MESSAGE_FORMATS.length + SCHEMALESS_FORMATS.length);
});

t.test('every format gives back small messages', async (t) => {
  for (const id of [...SMALL_FORMATS, ...SCHEMALESS_FORMATS]) {
    const format = await smallFormat(id);
    const [, decode] = formatCases(format, smallMessages(20, SEED));
    t.ok(decode?.check);
    t.doesNotThrow(() => decode?.check?.(), format.name);
  }
});

t.test('a format that changes a value is a mistake, and no row', async (t) => {
  const plain = await messageFormat('json');
  const lossy: Format<(typeof values)[number]> = {
    ...plain,
    decode: (bytes) => JSON.parse((bytes as Buffer).toString().replaceAll('"U64"', '"F64"')),
  };
  const values = messages(1, 20, SEED);
  t.throws(() => formatCases(lossy, values)[1]?.check?.(), {
    message: /reads something else than was written/,
  });
  t.throws(() => mustBeSame('one', [1], [1, 2]), { message: /^one reads/ });
  t.doesNotThrow(() => mustBeSame('one', Buffer.of(1, 2), Uint8Array.of(1, 2)), 'only the class differs');
  await t.rejects(messageFormat('nothing'), { message: /no format is called nothing/ });
});

t.test('the same seed makes the same messages, another one others', async (t) => {
  t.same(messages(1, 30, 1), messages(1, 30, 1));
  t.notSame(messages(1, 30, 1), messages(1, 30, 2));
});
