// SPDX-License-Identifier: MIT
// A year of four machines: everything of the first screen is on it, and it is there in time.
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LAST, simulate, YEAR } from '../simulate';
import { launch, open, Pages } from './browser';

const TRIES = 5;
const LIMIT_MS = 2000;

let browser: Browser;
const pages = new Pages();
const data = simulate(YEAR);
let address: string;

beforeAll(async () => {
  browser = await launch();
  address = pages.write('year.html', data);
});

afterAll(async () => {
  await browser.close();
  pages.remove();
});

// From the start of the navigation until the browser has painted what `ready` waits for.
async function opening(hash: string, ready: string): Promise<number> {
  const { page, errors, strangers, close } = await open(browser, 'about:blank');
  const start = performance.now();
  await page.goto(`${address}${hash}`);
  await page.locator(ready).first().waitFor();
  await page.evaluate(() => new Promise((done) =>
    requestAnimationFrame(() => requestAnimationFrame(done))));
  const took = performance.now() - start;
  expect(errors).toEqual([]);
  expect(strangers.filter((url) => url !== 'about:blank')).toEqual([]);
  await close();
  return took;
}

for (const [name, hash, ready] of [['first screen', '', '.changes'],
  ['history', '#view=history', '.chart svg'], ['compare', '#view=compare', '.calendar']]) {
  test(`a year opens within ${LIMIT_MS} ms: ${name}`, async () => {
    const times: number[] = [];
    for (let attempt = 0; attempt < TRIES; attempt += 1) times.push(await opening(hash, ready));
    times.sort((one, other) => one - other);
    const size = statSync(fileURLToPath(address)).size / 2 ** 20;
    console.log(`a year of ${data.machines.length} machines x ${data.machines[0].series.length} `
      + `series, ${size.toFixed(1)} MiB, ${name}: median ${times[TRIES >> 1].toFixed(0)} ms, `
      + `slowest ${times[TRIES - 1].toFixed(0)} ms`);
    expect(times[TRIES >> 1]).toBeLessThan(LIMIT_MS);
  });
}

test('four machines fit on the first screen without scrolling', async () => {
  const { page, close } = await open(browser, address, { now: LAST + 60 * 3600e3 });
  for (const part of ['#simulated', '#verdict', 'p.overdue', '.changes', '#acknowledged summary',
    '#ages', '#stress', '.fresh']) {
    const box = await page.locator(part).first().boundingBox();
    expect(box, part).not.toBe(null);
    expect(box!.y + box!.height, part).toBeLessThan(800);
  }
  expect(await page.locator('.age').count()).toBe(4);
  await close();
});
