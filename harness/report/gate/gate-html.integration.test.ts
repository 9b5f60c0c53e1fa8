/** The gate's page in a real browser: nothing asked for, nothing said, nothing too wide, nothing that axe-core objects to. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import t from 'tap';
import type { GateModel } from '../../conformance/gate.ts';
import { renderGateHtml } from './gate-html.ts';
import { FAILED, gate, nasty, result } from './testing/sample-gate.ts';

const BROWSERS = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/google-chrome'];
const executablePath = BROWSERS.find((path) => existsSync(path));
const skip = executablePath === undefined ? `no browser at ${BROWSERS.join(', ')}` : false;
const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

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
const VIEWS = [
  { label: 'light', width: 1280, colorScheme: 'light' },
  { label: 'dark', width: 1280, colorScheme: 'dark' },
  { label: '360 px', width: 360, colorScheme: 'light' },
  { label: '360 px dark', width: 360, colorScheme: 'dark' },
] as const;

/** Code that runs inside the page is text: this program has no DOM of its own. */
const MEASURE = `(() => {
  const own = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim() !== '');
  const texts = [...document.querySelectorAll('body *:not(script)')].filter(own);
  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  return {
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    small: texts.filter((e) => parseFloat(getComputedStyle(e).fontSize) < 12).length,
    broken: 'broken' in globalThis,
    twice: ids.length - new Set(ids).size,
    dead: [...document.querySelectorAll('a[href^="#"]')].map((a) => a.getAttribute('href'))
      .filter((href) => document.getElementById(href.slice(1)) === null),
  };
})()`;
const FINE = { wide: 0, small: 0, broken: false, twice: 0, dead: [] };
const AXE = `axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then((result) =>
  result.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.target.join(' ')).join(', ')))`;

const violations = async (page: Page): Promise<readonly string[]> => {
  await page.evaluate(axe);
  return page.evaluate<string[]>(AXE);
};

t.setTimeout(110_000);
t.test('pages of the gate', { skip, timeout: 110_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'relaylab-gate-'));
  const browser: Browser = await chromium.launch({
    executablePath: executablePath ?? '',
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  t.teardown(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const open = async (name: string, options: Parameters<Browser['newPage']>[0]) => {
    const path = join(folder, `${name.replaceAll(' ', '-')}.html`);
    if (!existsSync(path)) writeFileSync(path, renderGateHtml(PAGES[name]?.() ?? gate()));
    const page = await browser.newPage(options);
    const said: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(String(error)));
    page.on('request', (request) => {
      if (request.resourceType() !== 'document' && !request.url().startsWith('data:'))
        said.push(request.url());
    });
    await page.goto(pathToFileURL(path).href);
    return { page, said };
  };

  for (const name of Object.keys(PAGES))
    t.test(`${name}: silent, self-contained, fits and accessible`, async (t) => {
      for (const { label, width, colorScheme } of name === 'one of every standing'
        ? VIEWS
        : VIEWS.slice(1, 3)) {
        // axe-core is put in by the test, past the page's own policy; the policy itself is proved below
        const options = { viewport: { width, height: 900 }, colorScheme, bypassCSP: true };
        const { page, said } = await open(name, options);
        t.strictSame(
          await page.evaluate(MEASURE),
          FINE,
          `${label}: width, type, ids and links, no foreign script`,
        );
        t.strictSame(await violations(page), [], `${label}: axe-core`);
        t.strictSame(said, [], `${label}: console and requests`);
        await page.close();
      }
    });

  t.test('under its own policy the filter works and nothing foreign runs', async (t) => {
    for (const name of ['one of every standing', 'nasty']) {
      const { page, said } = await open(name, { viewport: { width: 1280, height: 900 } });
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
    const { page } = await open('one of every standing', options);
    for (const id of ['f1', 'f2', 'u1', 'cases', 'baseline', 'rerun'])
      t.equal(await page.locator(`#${id}`).isVisible(), true, id);
    t.equal(await page.locator('.filter').isVisible(), false);
    t.match(await page.locator('#f1').innerText(), /30 34 30 30 31 0a/);
    await page.close();
  });

  t.test('paper gets light colours', async (t) => {
    const { page } = await open('large', { viewport: { width: 760, height: 1000 }, colorScheme: 'dark' });
    await page.emulateMedia({ media: 'print' });
    t.equal(await page.evaluate(`getComputedStyle(document.body).backgroundColor`), 'rgb(255, 255, 255)');
    await page.close();
  });
});
