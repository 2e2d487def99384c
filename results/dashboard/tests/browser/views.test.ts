// SPDX-License-Identifier: MIT
// Every view, light and dark: no accessibility violation, no error, no request, and a picture to
// look at in shots/.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LAST, simulate, SMALL } from '../simulate';
import { launch, open, Pages, views } from './browser';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SHOTS = fileURLToPath(new URL('../../shots', import.meta.url));
const data = simulate(SMALL);
const [machine] = data.machines;
const exit = 'finalize/exit/registry/n:16';
const [a, b] = [machine.runs.at(-3)!.run, machine.runs.at(-1)!.run];

const PLACES: Record<string, string> = {
  today: '', history: `view=history&series=${exit}`, compare: `view=compare&a=${a}&b=${b}`,
  distributions: `view=distributions&series=${exit}`, ordering: 'view=ordering',
  sweeps: 'view=sweeps', matrix: `view=matrix&run=${b}`, stress: 'view=stress',
  machines: 'view=machines', targets: 'view=targets',
};

let browser: Browser;
const pages = new Pages();
let address: string;

beforeAll(async () => {
  mkdirSync(SHOTS, { recursive: true });
  browser = await launch();
  address = pages.write('views.html', data);
});

afterAll(async () => {
  await browser.close();
  pages.remove();
});

interface Violation { id: string; nodes: { target: string[]; failureSummary: string }[] }

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<{ violations: Violation[];
      passes: unknown[] }> } };
    return axe.run();
  });
  expect(found.passes.length).toBeGreaterThan(10);
  return found.violations.flatMap(({ id, nodes }) => nodes.map((node) =>
    `${id}: ${node.target.join(' ')}: ${node.failureSummary}`));
}

// Charts are drawn when they come into sight.
async function drawAll(page: Page): Promise<void> {
  const height = await page.evaluate(() => document.body.scrollHeight);
  for (let top = 0; top < height; top += 600) {
    await page.evaluate((y) => scrollTo(0, y), top);
    await page.waitForTimeout(30);
  }
  await page.evaluate(() => scrollTo(0, 0));
  await page.waitForFunction(() => [...document.querySelectorAll('.chart')]
    .every((place) => place.querySelector('svg')));
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [view, hash] of Object.entries(PLACES)) {
    test(`${view}, ${colorScheme}`, async () => {
      const opened = await open(browser, `${address}#${hash}`, { colorScheme,
        now: LAST + 9 * 3600e3 });
      const { page } = opened;
      await drawAll(page);
      const theme = await page.evaluate(() => document.documentElement.dataset.theme);
      expect(theme).toBe(colorScheme);
      expect(await page.locator('nav [aria-current]').getAttribute('id')).toBe(`tab-${view}`);
      await page.screenshot({ path: join(SHOTS, `${view}-${colorScheme}.png`), fullPage: true });
      expect(await violations(page)).toEqual([]);
      expect(opened.errors).toEqual([]);
      expect(opened.strangers).toEqual([]);
      await opened.close();
    });
  }
}

test('every view of the page is looked at', async () => {
  const { page, close } = await open(browser, address);
  expect(await views(page)).toEqual(Object.keys(PLACES));
  await close();
});

test('axe finds a planted fault', async () => {
  const { page, close } = await open(browser, address);
  await page.evaluate(() => document.body.append(document.createElement('button')));
  expect((await violations(page)).join()).toContain('button-name');
  await close();
});

test('a planted request is seen', async () => {
  const { page, strangers, close } = await open(browser, address);
  await page.evaluate(() => { location.href = 'http://threadref.invalid/'; }).catch(() => {});
  await page.waitForTimeout(300);
  expect(strangers).toEqual(['http://threadref.invalid/']);
  await close();
});
