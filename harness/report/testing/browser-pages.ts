/** TEST ONLY: pages of ours in a real browser, and what is asked of every one of them. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';

const BROWSERS = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/google-chrome'];
const executablePath = BROWSERS.find((path) => existsSync(path));
/** Why such a test is skipped here, or false. */
export const noBrowser: string | false =
  executablePath === undefined ? `no browser at ${BROWSERS.join(', ')}` : false;

const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const AXE = `axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then((result) =>
  result.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.target.join(' ')).join(', ')))`;

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

export type View = {
  readonly label: string;
  readonly width: number;
  readonly colorScheme: 'light' | 'dark';
};
type PageOptions = NonNullable<Parameters<Browser['newPage']>[0]>;
/** A page, and all that it wrote to its console or asked the network for. */
export type Opened = { readonly page: Page; readonly said: readonly string[] };

/** A browser that is gone with the test. */
export const browserFor = async (t: Test): Promise<Browser> => {
  const browser = await chromium.launch({
    executablePath: executablePath ?? '',
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  t.teardown(() => browser.close());
  return browser;
};

/** One browser for a test file; every page is written once, when it is opened first. */
export class BrowserPages {
  readonly #browser: Browser;
  readonly #folder: string;
  readonly #render: (name: string) => string;

  private constructor(browser: Browser, folder: string, render: (name: string) => string) {
    this.#browser = browser;
    this.#folder = folder;
    this.#render = render;
  }

  /** Gone with the test. @param render the page of that name */
  static async start(t: Test, render: (name: string) => string): Promise<BrowserPages> {
    const folder = mkdtempSync(join(tmpdir(), 'relaylab-pages-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    return new BrowserPages(await browserFor(t), folder, render);
  }

  async open(name: string, options: PageOptions): Promise<Opened> {
    const path = join(this.#folder, `${name.replaceAll(' ', '-')}.html`);
    if (!existsSync(path)) writeFileSync(path, this.#render(name));
    const page = await this.#browser.newPage(options);
    const said: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(String(error)));
    page.on('request', (request) => {
      if (request.resourceType() !== 'document' && !request.url().startsWith('data:'))
        said.push(request.url());
    });
    await page.goto(pathToFileURL(path).href);
    return { page, said };
  }

  /** Nothing asked for, nothing said, nothing too wide or too small, no dead link, nothing that axe-core objects to. */
  async inspect(t: Test, name: string, views: readonly View[]): Promise<void> {
    for (const { label, width, colorScheme } of views) {
      // axe-core is put in by the test, past the page's own policy; the policy itself is proved by each page's own tests
      const options = { viewport: { width, height: 900 }, colorScheme, bypassCSP: true };
      const { page, said } = await this.open(name, options);
      const found = await page.evaluate(MEASURE);
      t.strictSame(found, FINE, `${label}: width, type, ids and links, no foreign script`);
      await page.evaluate(axe);
      t.strictSame(await page.evaluate<string[]>(AXE), [], `${label}: axe-core`);
      t.strictSame(said, [], `${label}: console and requests`);
      await page.close();
    }
  }
}
