import t from 'tap';
import { point, text } from '../testing/sample-points.ts';
import { attributeKeys, field, fieldsOf, headerLine } from './csv-text.ts';

const FORMAT = { appendUnit: true, displayUnit: true, delimiter: ';', lateDelimiter: ',' };

const FIELDS: readonly (readonly [text: string, field: string])[] = [
  ['', ''],
  ['plain, with comma', 'plain, with comma'],
  ['a;b', '"a;b"'],
  ['say "x"', '"say ""x"""'],
  ['two\nlines', '"two\nlines"'],
  ['two\r\nlines', '"two\r\nlines"'],
  ['"', '""""'],
];

t.test('a field is read back as it was, whatever is in it', async (t) => {
  for (const [value, written] of FIELDS) {
    t.equal(field(value, ';'), written);
    t.strictSame(fieldsOf(`x;${written};y`, ';'), ['x', value, 'y']);
  }
  t.strictSame(fieldsOf('a;', ';'), ['a', '']);
  t.equal(fieldsOf('"open', ';'), undefined);
  t.equal(fieldsOf('"a"b;c', ';'), undefined);
});

t.test('a file begins with the columns of Alumet', async (t) => {
  const COLUMNS = 'metric;timestamp;value;resource_kind;resource_id;consumer_kind;consumer_id;';
  t.equal(headerLine([], FORMAT), `${COLUMNS}__late_attributes\n`);
  const points = [
    point({ attributes: [text('b', ''), text('a', '')] }),
    point({ attributes: [text('b', '')] }),
  ];
  t.equal(headerLine(attributeKeys(points), FORMAT), `${COLUMNS}a;b;__late_attributes\n`);
});
