/** The gate's page in a real browser: nothing asked for, nothing said, nothing too wide, nothing that axe-core objects to. */
import t from 'tap';
import type { GateModel } from '../../conformance/gate.ts';
import { BrowserPages, noBrowser, type View } from '../testing/browser-pages.ts';
import { renderGateHtml } from './gate-html.ts';
import { FAILED, gate, nasty, result } from './testing/sample-gate.ts';

/** As many cases as the largest profile, on as many paths as anybody asks for. */
const large = (): GateModel => {
  const paths = ['direct', 'mobile+home', 'satellite+home', 'stalling+hostile'];
  const results = paths.flatMap((path, p) =>
    Array.from({ length: 99 }, (_, n) =>
      result(`${['reg', 'pool', 'event', 'mux', 'hostile'][n % 5]}/case-${n}`, {
        path,
        ...((n * 7 + p * 3) % 41 === 0 ? FAILED : {}),
      }),
    ),
  );
  return gate(results, {}, { paths });
};

const PAGES: Readonly<Record<string, () => GateModel>> = {
  'one of every standing': () => gate(),
  'all hold': () => gate([result('reg/a'), result('reg/b')], {}, { paths: ['direct'] }),
  large,
  partial: () => gate([result('reg/a')], { partial: '1 of 99 cases were asked for' }, { paths: ['direct'] }),
  nothing: () => gate([]),
  nasty,
};
const VIEWS: readonly View[] = [
  { label: 'light', width: 1280, colorScheme: 'light' },
  { label: 'dark', width: 1280, colorScheme: 'dark' },
  { label: '360 px', width: 360, colorScheme: 'light' },
  { label: '360 px dark', width: 360, colorScheme: 'dark' },
];

t.setTimeout(110_000);
t.test('pages of the gate', { skip: noBrowser, timeout: 110_000 }, async (t) => {
  const pages = await BrowserPages.start(t, (name) => renderGateHtml(PAGES[name]?.() ?? gate()));

  for (const name of Object.keys(PAGES))
    t.test(`${name}: silent, self-contained, fits and accessible`, (t) =>
      pages.inspect(t, name, name === 'one of every standing' ? VIEWS : VIEWS.slice(1, 3)),
    );

  t.test('under its own policy the filter works and nothing foreign runs', async (t) => {
    for (const name of ['one of every standing', 'nasty']) {
      const { page, said } = await pages.open(name, { viewport: { width: 1280, height: 900 } });
      t.equal(await page.evaluate(`'broken' in globalThis`), false);
      await page.locator('.filter button[data-v="inconclusive"]').click();
      t.equal(await page.locator('.cases tbody tr:visible').count(), 1, 'one case is undecided');
      await page.locator('.filter button[data-v="all"]').click();
      t.ok((await page.locator('.cases tbody tr:visible').count()) > 3);
      t.strictSame(said, []);
      await page.close();
    }
  });

  t.test('without script every verdict, log and command is there', async (t) => {
    const options = { viewport: { width: 1280, height: 900 }, javaScriptEnabled: false };
    const { page } = await pages.open('one of every standing', options);
    for (const id of ['f1', 'f2', 'u1', 'cases', 'baseline', 'rerun'])
      t.equal(await page.locator(`#${id}`).isVisible(), true, id);
    t.equal(await page.locator('.filter').isVisible(), false);
    t.match(await page.locator('#f1').innerText(), /30 34 30 30 31 0a/);
    await page.close();
  });

  t.test('paper gets light colours', async (t) => {
    const { page } = await pages.open('large', {
      viewport: { width: 760, height: 1000 },
      colorScheme: 'dark',
    });
    await page.emulateMedia({ media: 'print' });
    t.equal(await page.evaluate(`getComputedStyle(document.body).backgroundColor`), 'rgb(255, 255, 255)');
    await page.close();
  });
});
