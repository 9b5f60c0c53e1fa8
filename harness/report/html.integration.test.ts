/** The page in a real browser: nothing asked for, nothing said, nothing too wide, nothing that axe-core objects to. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import t from 'tap';
import { EXIT } from '../verdict/verdict.ts';
import { renderHtml } from './html/render-html.ts';
import { type ReportModel, reportModel } from './model.ts';
import { SAMPLE_EXIT, sampleJudgements } from './testing/sample-judgements.ts';
import { SAMPLE, type SampleOptions, sampleTrace } from './testing/sample-trace.ts';
import { judgement } from './testing/small-trace.ts';

const BROWSERS = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/google-chrome'];
const executablePath = BROWSERS.find((path) => existsSync(path));
const skip = executablePath === undefined ? `no browser at ${BROWSERS.join(', ')}` : false;
const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

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
const VIEWS = [
  { label: 'light', width: 1600, colorScheme: 'light' },
  { label: 'dark', width: 1100, colorScheme: 'dark' },
  { label: '360 px', width: 360, colorScheme: 'light' },
  { label: '360 px dark', width: 360, colorScheme: 'dark' },
] as const;

/** Code that runs inside the page is text: this program has no DOM of its own. */
const MEASURE = `(() => {
  const own = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim() !== '');
  const texts = [...document.querySelectorAll('body *:not(script)')].filter(own);
  return {
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    small: texts.filter((e) => parseFloat(getComputedStyle(e).fontSize) < 12).length,
    broken: 'broken' in globalThis,
  };
})()`;
const AXE = `axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then((result) =>
  result.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.target.join(' ')).join(', ')))`;
const DEAD_LINKS = `[...document.querySelectorAll('a[href^="#"]')].map((a) => a.getAttribute('href'))
  .filter((href) => document.getElementById(href.slice(1)) === null)`;
const IDS = `[...document.querySelectorAll('[id]')].map((e) => e.id)`;
const HAS_SCRIPT = `document.documentElement.classList.contains('on-js')`;
const MOVE_TO = (value: number): string =>
  `(() => { const time = document.getElementById('time'); time.value = ${value}; time.dispatchEvent(new Event('input', { bubbles: true })); })()`;

const violations = async (page: Page): Promise<readonly string[]> => {
  await page.evaluate(axe);
  return page.evaluate<string[]>(AXE);
};

t.setTimeout(110_000);
t.test('report pages', { skip, timeout: 110_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'relaylab-report-'));
  const browser: Browser = await chromium.launch({
    executablePath: executablePath ?? '',
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  t.teardown(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const urlOf = (name: string): string => {
    const path = join(folder, `${name.replaceAll(' ', '-')}.html`);
    if (!existsSync(path)) writeFileSync(path, renderHtml(PAGES[name]?.() ?? modelOf({})));
    return pathToFileURL(path).href;
  };
  /** A page whose console and requests are written down. */
  const open = async (name: string, options: Parameters<Browser['newPage']>[0]) => {
    const page = await browser.newPage(options);
    const said: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(String(error)));
    page.on('request', (request) => {
      if (request.resourceType() !== 'document' && !request.url().startsWith('data:'))
        said.push(request.url());
    });
    await page.goto(urlOf(name));
    return { page, said };
  };

  for (const name of Object.keys(PAGES))
    t.test(`${name}: silent, self-contained, fits and accessible`, async (t) => {
      // Both designs of the page are looked at in all views, the other shapes of run where room is scarce.
      for (const { label, width, colorScheme } of name === 'passed' || name === 'failed'
        ? VIEWS
        : VIEWS.slice(1, 3)) {
        // axe-core is put in by the test, past the page's own policy; the policy itself is proved below.
        const { page, said } = await open(name, {
          viewport: { width, height: 900 },
          colorScheme,
          bypassCSP: true,
        });
        t.strictSame(
          await page.evaluate(MEASURE),
          { wide: 0, small: 0, broken: false },
          `${label}: width, type, no foreign script`,
        );
        t.strictSame(await violations(page), [], `${label}: axe-core`);
        t.strictSame(said, [], `${label}: console and requests`);
        await page.close();
      }
    });

  t.test('under its own policy the script runs and nothing foreign does', async (t) => {
    for (const name of ['failed', 'nasty']) {
      const { page, said } = await open(name, { viewport: { width: 1200, height: 900 } });
      t.equal(await page.evaluate(HAS_SCRIPT), true);
      t.equal(await page.evaluate(`'broken' in globalThis`), false);
      t.strictSame(said, []);
      await page.close();
    }
  });

  t.test('the slider moves the cursor, the topology and what it says', async (t) => {
    const { page } = await open('passed', { viewport: { width: 1200, height: 900 } });
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
    const { page } = await open('failed', { viewport: { width: 1200, height: 900 } });
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
      const { page } = await open('failed', { viewport: { width: 1200, height: 900 }, javaScriptEnabled });
      for (const id of ['failed', 'timeline', 'comeback', 'speed', 'ledger', 'checks', 'rerun'])
        t.equal(await page.locator(`#${id}`).isVisible(), true, id);
      for (const control of ['#time', '.filter', '[data-copy] >> nth=0'])
        t.equal(await page.locator(control).isVisible(), javaScriptEnabled, control);
      texts.push((await page.locator('main table').allInnerTexts()).join('\n'));
      await page.close();
    }
    t.equal(texts[0], texts[1], 'the same tables');
  });

  t.test('every link inside the page points at something', async (t) => {
    for (const name of Object.keys(PAGES)) {
      const { page } = await open(name, { viewport: { width: 1200, height: 900 } });
      const dead = await page.evaluate<string[]>(DEAD_LINKS);
      t.strictSame(dead, [], name);
      const ids = await page.evaluate<string[]>(IDS);
      t.equal(new Set(ids).size, ids.length, `${name}: no id twice`);
      await page.close();
    }
  });

  t.test('paper gets light colours and nothing is cut off', async (t) => {
    const { page } = await open('failed', { viewport: { width: 760, height: 1000 }, colorScheme: 'dark' });
    await page.emulateMedia({ media: 'print' });
    t.equal(await page.evaluate(`getComputedStyle(document.body).backgroundColor`), 'rgb(255, 255, 255)');
    t.equal(await page.locator('.bar').isVisible(), false);
    const pages =
      (await page.pdf({ format: 'A4' })).toString('latin1').match(/\/Type \/Page\b/g)?.length ?? 0;
    t.ok(pages >= 2 && pages <= 12, `${pages} pages of A4`);
    await page.close();
  });
});
