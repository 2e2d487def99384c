// SPDX-License-Identifier: MIT
// Debian's Chromium without a network, and a written page to open in it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

export const HOLDER = '<script type="application/json" id="threadref-data">null</script>';
const TEMPLATE = fileURLToPath(new URL('../../dist/index.html', import.meta.url));
const ARGUMENTS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
  '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync'];

export async function launch(): Promise<Browser> {
  // Each launch gets a user data folder of its own, which goes with it.
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGUMENTS });
}

// A folder with the pages of one test file.
export class Pages {
  readonly folder = mkdtempSync(join(tmpdir(), 'threadref-page-'));

  write(name: string, data: unknown): string {
    const [before, after, ...more] = readFileSync(TEMPLATE, 'utf8').split(HOLDER);
    if (after === undefined || more.length) throw new Error(`not once in the page: ${HOLDER}`);
    const text = JSON.stringify(data).replaceAll('<', '\\u003c');
    const path = join(this.folder, name);
    writeFileSync(path, before + HOLDER.replace('null', () => text) + after);
    return pathToFileURL(path).href;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

// The views that the page offers, so that no test keeps a list of its own.
export async function views(page: Page): Promise<string[]> {
  return page.locator('nav a').evaluateAll((tabs) => tabs.map((tab) => tab.id.slice(4)));
}

export interface Opened {
  page: Page;
  strangers: string[];  // requests that left file://
  errors: string[];     // of the page: exceptions and console errors
  close(): Promise<void>;
}

export async function open(
  browser: Browser, address: string, options: BrowserContextOptions & { now?: number } = {},
): Promise<Opened> {
  const { now, ...rest } = options;
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...rest });
  await context.setOffline(true);
  const strangers: string[] = [];
  const errors: string[] = [];
  await context.route('**/*', (route) => {
    const url = route.request().url();
    if (/^(file|blob|data):/.test(url)) return route.continue();
    strangers.push(url);
    return route.abort();
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) errors.push(message.text());
  });
  if (now !== undefined) await page.clock.install({ time: now });
  await page.goto(address);
  return { page, strangers, errors, close: () => context.close() };
}
