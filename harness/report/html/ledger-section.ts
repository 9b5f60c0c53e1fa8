import type { Books } from '../../measure/audit.ts';
import type { LedgerRow } from '../../measure/ledger-table.ts';
import type { ReportModel } from '../model.ts';
import { bytes, count, whole } from '../words.ts';
import { esc, heads, pin, table, wrongIfAny } from './markup.ts';

const share = (kept: number, of: number): string => {
  if (of === 0) return '<span class="dim3">none</span>';
  const words = `${whole(kept)} of ${whole(of)}`;
  return kept < of ? `<span class="bad">${words}</span>` : words;
};

const wrongBytes = (n: number): string => wrongIfAny(n, bytes(n));

const cells = (row: Omit<LedgerRow, 'mode' | 'direction' | 'firstWrong'>): string =>
  `<td class="num">${whole(row.tunnels)}</td><td class="num">${bytes(row.sent)}</td><td class="num">${wrongBytes(row.lost)}</td><td class="num">${wrongBytes(row.repeated)}</td><td class="num">${wrongBytes(row.reordered)}</td><td class="num">${wrongBytes(row.foreign)}</td><td class="num">${row.cutTunnels === 0 ? '<span class="dim3">0</span>' : `${whole(row.cutTunnels)} <span class="dim3">(${bytes(row.cutBytes)})</span>`}</td><td class="num">${share(row.endsKept, row.endsOf)}</td><td class="num">${share(row.abortsSeen, row.abortsOf)}</td>`;

const ledgerPins = (model: ReportModel): string =>
  model.checks
    .map((check, index) => (check.section === 'ledger' && check.pin !== '' ? pin(check, index) : ''))
    .join(' ');

const firstWrong = (row: LedgerRow, pins: string): string => {
  if (row.firstWrong === undefined) {
    if (row.lost === 0) return '<span class="dim3">none</span>';
    return `the end never came ${pins}`;
  }
  const { tunnel, offset, state, from } = row.firstWrong;
  return `tunnel ${whole(tunnel)}, byte ${whole(offset)}: ${state}${from === '' ? '' : ` (from ${esc(from)})`} ${pins}`;
};

const sumOf = (rows: readonly LedgerRow[]): Omit<LedgerRow, 'mode' | 'direction' | 'firstWrong'> => {
  const sum = { tunnels: 0, sent: 0, received: 0, lost: 0, repeated: 0, reordered: 0, foreign: 0 };
  const more = { cutTunnels: 0, cutBytes: 0, endsKept: 0, endsOf: 0, abortsSeen: 0, abortsOf: 0 };
  const total = { ...sum, ...more };
  for (const row of rows)
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += row[key];
  return total;
};

const ledgerTable = (model: ReportModel): string => {
  const { rows } = model.ledger;
  const pins = ledgerPins(model);
  const modes = [...new Set(rows.map((row) => row.mode))];
  const body = modes
    .map((mode) => {
      const mine = rows.filter((row) => row.mode === mode);
      return mine
        .map(
          (row, index) =>
            `<tr>${index === 0 ? `<th scope="rowgroup" rowspan="${mine.length}">${mode}</th>` : ''}<td class="nw">${row.direction === 'up' ? 'user → service' : 'service → user'}</td>${cells(row)}<td class="where">${firstWrong(row, pins)}</td></tr>`,
        )
        .join('');
    })
    .join('');
  const total = { ...sumOf(rows), tunnels: model.ledger.ended };
  return table(
    'Every payload byte carries its tunnel, direction and offset, so a wrong byte can be named. Cut: by an abort that was asked for, or by a fault with a receipt.',
    heads(
      'mode',
      'direction',
      '#tunnels',
      '#sent',
      '#lost',
      '#repeated',
      '#reordered',
      '#foreign',
      '#cut',
      '#ends kept',
      '#aborts seen',
      'first wrong byte',
    ),
    `${body}<tr class="sum"><th scope="row">all</th><td></td>${cells(total)}<td></td></tr>`,
    'ledger',
  );
};

const figure = (books: Books | undefined, key: keyof Books): string => {
  const value = books?.[key];
  if (value === undefined || value < 0) return '<span class="dim3">unknown</span>';
  return key === 'rssBytes' ? bytes(value) : whole(value);
};

const audit = (model: ReportModel): string => {
  const { before, peak, after } = model.audit;
  if (peak === undefined) return '';
  const rows = (
    [
      ['file descriptors', 'fds'],
      ['sockets', 'sockets'],
      ['listening ports', 'listening'],
      ['resident memory', 'rssBytes'],
    ] as const
  ).map(
    ([words, key]) =>
      `<tr><th scope="row">${words}</th><td class="num">${figure(before, key)}</td><td class="num">${figure(peak, key)}</td><td class="num">${figure(after, key)}</td></tr>`,
  );
  return `<div class="gap narrowest">${table('What the relay process held', heads('', '#before', '#most', '#after'), rows.join(''))}</div>`;
};

/** The payload ledger and the relay's books. */
export const ledgerSection = (model: ReportModel): string => {
  const { ledger } = model;
  if (ledger.rows.length === 0 && model.audit.peak === undefined) return '';
  const notes: string[] = [];
  if (ledger.openAtEnd > 0)
    notes.push(
      `${count(ledger.openAtEnd, 'tunnel')} had no end when the trace ended and ${ledger.openAtEnd === 1 ? 'is' : 'are'} not in the table.`,
    );
  if (ledger.refused > 0)
    notes.push(
      `${count(ledger.refused, 'dial', 'dials')} came to nothing: no port was there, or its client was leaving.`,
    );
  return `<section id="ledger"><div class="wrap"><h2>Every byte</h2>${ledger.rows.length === 0 ? '<p class="lede">No user opened a tunnel in this run.</p>' : ledgerTable(model)}${notes.length > 0 ? `<p class="small dim notes">${notes.join(' ')}</p>` : ''}${audit(model)}</div></section>`;
};
