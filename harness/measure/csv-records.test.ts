import t from 'tap';
import { csvRecords } from './csv-records.ts';

const TABLE = [
  {
    title: 'lines and fields',
    text: 'a;b\nc;\n',
    records: [
      ['a', 'b'],
      ['c', ''],
    ],
    used: 7,
  },
  {
    title: 'CRLF ends a line as well',
    text: 'a;"b"\r\nc;d\r\n',
    records: [
      ['a', 'b'],
      ['c', 'd'],
    ],
    used: 12,
  },
  {
    title: 'quotes hold delimiters, quotes and line breaks',
    text: '"a;""b""\nc";d\n',
    records: [['a;"b"\nc', 'd']],
    used: 14,
  },
  { title: 'a line without an end waits', text: 'a\nb;c', records: [['a']], used: 2 },
  { title: 'an open quote waits', text: 'a\n"b\nc', records: [['a']], used: 2 },
  { title: 'nothing is no record', text: '', records: [], used: 0 },
];

for (const { title, text, ...expected } of TABLE)
  t.test(title, async (t) => t.same(csvRecords(text, ';'), expected));
