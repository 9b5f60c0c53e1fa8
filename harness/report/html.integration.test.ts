/** The page in a real browser: nothing asked for, nothing said, nothing too wide, nothing that axe-core objects to. */
import t from 'tap';
import { EXIT } from '../verdict/verdict.ts';
import { renderHtml } from './html/render-html.ts';
import { type ReportModel, reportModel } from './model.ts';
import { BrowserPages, noBrowser, type View } from './testing/browser-pages.ts';
import { SAMPLE_EXIT, sampleJudgements } from './testing/sample-judgements.ts';
import { SAMPLE, type SampleOptions, sampleTrace } from './testing/sample-trace.ts';
import { judgement } from './testing/small-trace.ts';

const modelOf = (change: Partial<SampleOptions>): ReportModel => {
  const options = { ...SAMPLE, ...change };
  const { variant } = options;
  return reportModel(sampleTrace(options), sampleJudgements(variant), {
    exitCode: SAMPLE_EXIT[variant],
    complete: variant !== 'partial',
  });
};

const NASTY = '</script><script>globalThis.broken=1</script><img src=x onerror="globalThis.broken=1">';
const nasty = (): ReportModel =>
  reportModel(
    sampleTrace({ ...SAMPLE, variant: 'failed' }).map((event) =>
      event.type === 'run.began'
        ? { ...event, target: NASTY, rerun: NASTY, labReason: NASTY, scenario: NASTY }
        : event,
    ),
    [
      judgement({
        verdict: 'fail',
        clause: NASTY,
        title: NASTY,
        summary: NASTY,
        expected: NASTY,
        got: NASTY,
        source: NASTY,
      }),
    ],
    { exitCode: EXIT.fail, complete: true },
  );

const PAGES: Readonly<Record<string, () => ReportModel>> = {
  passed: () => modelOf({}),
  failed: () => modelOf({ variant: 'failed' }),
  inconclusive: () => modelOf({ variant: 'inconclusive' }),
  partial: () => modelOf({ variant: 'partial' }),
  'one site': () => modelOf({ sites: 1 }),
  'a thousand sites': () => modelOf({ sites: 1_000, perSite: 2 }),
  'no users': () => modelOf({ users: false }),
  sim: () => modelOf({ lab: 'sim' }),
  empty: () => reportModel([], [], { exitCode: EXIT.inconclusive, complete: true }),
  nasty,
};
const VIEWS: readonly View[] = [
  { label: 'light', width: 1600, colorScheme: 'light' },
  { label: 'dark', width: 1100, colorScheme: 'dark' },
  { label: '360 px', width: 360, colorScheme: 'light' },
  { label: '360 px dark', width: 360, colorScheme: 'dark' },
];

const HAS_SCRIPT = `document.documentElement.classList.contains('on-js')`;
const MOVE_TO = (value: number): string =>
  `(() => { const time = document.getElementById('time'); time.value = ${value}; time.dispatchEvent(new Event('input', { bubbles: true })); })()`;

t.setTimeout(110_000);
t.test('report pages', { skip: noBrowser, timeout: 110_000 }, async (t) => {
  const pages = await BrowserPages.start(t, (name) => renderHtml(PAGES[name]?.() ?? modelOf({})));

  // both designs of the page are looked at in all views, the other shapes of run where room is scarce
  for (const name of Object.keys(PAGES))
    t.test(`${name}: silent, self-contained, fits and accessible`, (t) =>
      pages.inspect(t, name, name === 'passed' || name === 'failed' ? VIEWS : VIEWS.slice(1, 3)),
    );

  t.test('under its own policy the script runs and nothing foreign does', async (t) => {
    for (const name of ['failed', 'nasty']) {
      const { page, said } = await pages.open(name, { viewport: { width: 1200, height: 900 } });
      t.equal(await page.evaluate(HAS_SCRIPT), true);
      t.equal(await page.evaluate(`'broken' in globalThis`), false);
      t.strictSame(said, []);
      await page.close();
    }
  });

  t.test('the slider moves the cursor, the topology and what it says', async (t) => {
    const { page } = await pages.open('passed', { viewport: { width: 1200, height: 900 } });
    const hollow = () => page.locator('.dots .d.off').count();
    t.equal(await hollow(), 0);
    const time = page.locator('#time');
    await time.focus();
    await page.evaluate(MOVE_TO(160));
    t.match(await page.locator('#cur').getAttribute('style'), /left: ?53\.\d+%/, '32 s of 60 s');
    t.equal(await hollow(), 120, 'the relay is away at 32 s');
    t.equal(await page.locator('[data-relay].off').count(), 1);
    t.match(await time.getAttribute('aria-valuetext'), /^32\.0 s: 0 of 120 connected$/);
    await time.press('ArrowRight');
    t.match(await time.getAttribute('aria-valuetext'), /^32\.2 s/, 'one key, one stop');
    await page.close();
  });

  t.test('the filter shows one kind of check, and a link to a hidden one brings all back', async (t) => {
    const { page } = await pages.open('failed', { viewport: { width: 1200, height: 900 } });
    const shown = () => page.locator('.checks tbody tr:visible').count();
    t.equal(await shown(), 9);
    await page.locator('.filter button[data-v="fail"]').click();
    t.equal(await shown(), 3);
    t.equal(await page.locator('.filter button[aria-pressed="true"]').count(), 1);
    await page.evaluate(`location.hash = '#check-9'`);
    await page.locator('#check-9').waitFor({ state: 'visible' });
    t.equal(await shown(), 9);
    await page.close();
  });

  t.test('without script everything but replay, filter and copy is there', async (t) => {
    const texts: string[] = [];
    for (const javaScriptEnabled of [true, false]) {
      const { page } = await pages.open('failed', {
        viewport: { width: 1200, height: 900 },
        javaScriptEnabled,
      });
      for (const id of ['failed', 'timeline', 'comeback', 'speed', 'ledger', 'checks', 'rerun'])
        t.equal(await page.locator(`#${id}`).isVisible(), true, id);
      for (const control of ['#time', '.filter', '[data-copy] >> nth=0'])
        t.equal(await page.locator(control).isVisible(), javaScriptEnabled, control);
      texts.push((await page.locator('main table').allInnerTexts()).join('\n'));
      await page.close();
    }
    t.equal(texts[0], texts[1], 'the same tables');
  });

  t.test('paper gets light colours and nothing is cut off', async (t) => {
    const { page } = await pages.open('failed', {
      viewport: { width: 760, height: 1000 },
      colorScheme: 'dark',
    });
    await page.emulateMedia({ media: 'print' });
    t.equal(await page.evaluate(`getComputedStyle(document.body).backgroundColor`), 'rgb(255, 255, 255)');
    t.equal(await page.locator('.bar').isVisible(), false);
    const sheets =
      (await page.pdf({ format: 'A4' })).toString('latin1').match(/\/Type \/Page\b/g)?.length ?? 0;
    t.ok(sheets >= 2 && sheets <= 12, `${sheets} pages of A4`);
    await page.close();
  });
});
