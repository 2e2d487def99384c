// SPDX-License-Identifier: MIT
// What the page does when somebody uses it: by its data and elements, not by pixels.
import { readFileSync } from 'node:fs';
import type { Browser, Download, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { LAST, simulate, SMALL } from '../simulate';
import { launch, open, Pages, views, type Opened } from './browser';

const HOUR = 3600e3;
const data = simulate(SMALL);
const [machine] = data.machines;
const EXIT = 'finalize/exit/registry/n:16';
const run = (night: number) => machine.runs[night].run;

let browser: Browser;
let address: string;
let opened: Opened | undefined;
const pages = new Pages();

beforeAll(async () => {
  browser = await launch();
  address = pages.write('behaviour.html', data);
});

afterEach(async () => {
  expect(opened?.errors).toEqual([]);
  expect(opened?.strangers).toEqual([]);
  await opened?.close();
  opened = undefined;
});

afterAll(async () => {
  await browser.close();
  pages.remove();
});

async function at(hash: string, hours = 9): Promise<Page> {
  opened = await open(browser, hash ? `${address}#${hash}` : address, { now: LAST + hours * HOUR });
  return opened.page;
}

const hashOf = async (page: Page) =>
  new URLSearchParams(await page.evaluate(() => location.hash.slice(1)));

async function saved(page: Page, button: string): Promise<{ name: string; text: string }> {
  const [file] = await Promise.all([page.waitForEvent('download'),
    page.getByRole('button', { name: button, exact: true }).click()]) as [Download, void];
  return { name: file.suggestedFilename(), text: readFileSync(await file.path(), 'utf8') };
}

interface Shown { name: string; data: unknown[] }

const shown = (page: Page, title: string) => page.evaluate((name) =>
  (window.threadrefCharts.get(name)?.getOption().series as Shown[]), title);

test('a missed night turns red, and says so, while the page stays open', async () => {
  const page = await at('', 9);
  const age = page.locator('.age').first();
  expect(await age.textContent()).toBe('8 hours old');
  expect(await page.locator('.overdue:visible').count()).toBe(0);
  const colour = () => age.evaluate((element) => getComputedStyle(element).color);
  const before = await colour();
  await page.clock.fastForward(30 * HOUR);
  expect(await age.textContent()).toBe('overdue: 38 hours old');
  expect(await colour()).not.toBe(before);
  expect(await colour()).toBe('rgb(168, 18, 15)');
  expect(await page.locator('p.overdue').textContent())
    .toBe('Overdue, no usable night within 36 hours: vm, genoa.');
});

test('a page opened too late is red from the start', async () => {
  const page = await at('', 40);
  expect(await page.locator('td .age.overdue').count()).toBe(2);
});

test('the first screen: each change with its figures and a command to copy', async () => {
  const page = await at('');
  expect(await page.locator('#simulated').isVisible()).toBe(true);
  expect(await page.locator('#verdict').textContent()).toContain('Worse. finalize/exit/registry');
  const text = await page.locator('.change').first().textContent();
  for (const part of ['slower', '1.052×', '[1.041, 1.064]', EXIT, 'on vm', '2026-01-17',
    'confirmed by a second run', `${machine.runs[44].commit.slice(0, 7)}..`]) {
    expect(text).toContain(part);
  }
  expect(await page.locator('.change:visible').count()).toBe(2);
  await page.locator('#acknowledged summary').click();
  expect(await page.locator('.change:visible').count()).toBe(3);
  expect(await page.locator('#acknowledged').textContent()).toContain('agreed on');
  expect(await page.locator('.fresh').textContent()).toContain('data race');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.locator('.copy').first().click();
  await page.waitForFunction(() => document.querySelector('.copy')?.textContent === 'copied');
  expect(await page.evaluate(() => navigator.clipboard.readText()))
    .toBe(machine.changes[0].command);
});

test('history: all nights are drawn, with hollow points, band and change point', async () => {
  const page = await at(`view=history&series=${EXIT}`);
  const series = await shown(page, `history of ${EXIT}`);
  const named = (name: string) => series.find((one) => one.name === name)!.data;
  const hollow = machine.runs.filter((one) => !one.usable).length;
  expect(named('registry')).toHaveLength(machine.runs.length - hollow);
  expect(named('not usable')).toHaveLength(hollow);
  expect(named('change point')).toHaveLength(1);
  expect(named('interval').length).toBe(named('registry').length);
  const label = await page.locator('.chart').first().getAttribute('aria-label');
  expect(label).toContain('change points: +5.2 % at 2026-01-17; 1 environment change');
});

test('history: other subjects come and go', async () => {
  const page = await at(`view=history&series=${EXIT}`);
  const subjects = async () => (await shown(page, `history of ${EXIT}`)).map((one) => one.name);
  await page.locator('.chart svg').first().waitFor();
  expect(await subjects()).not.toContain('pthread_key');
  await page.locator('#peers').click();
  await page.locator('#peers[aria-pressed="true"]').waitFor();
  await page.locator('.chart svg').first().waitFor();
  expect(await subjects()).toContain('pthread_key');
});

test('history: the wheel zooms, the link keeps it', async () => {
  const page = await at(`view=history&series=${EXIT}`);
  await page.locator('.chart svg').first().hover();
  await page.mouse.wheel(0, -400);
  await page.waitForFunction(() => location.hash.includes('from='));
  const { from, to } = Object.fromEntries(await hashOf(page));
  expect(from > run(0)).toBe(true);
  const zoomed = () => page.evaluate((name) => {
    const option = window.threadrefCharts.get(name)!.getOption();
    return (option.dataZoom as { startValue: number; endValue: number }[])[0];
  }, `history of ${EXIT}`);
  await page.reload();
  await page.locator('.chart svg').first().waitFor();
  const when = (name: string) => Date.parse(machine.runs.find((one) => one.run === name)!.started);
  expect((await zoomed()).startValue).toBe(when(from));
  expect((await zoomed()).endValue).toBe(when(to));
  await page.getByRole('button', { name: 'whole history' }).click();
  await page.waitForFunction(() => !location.hash.includes('from='));
});

test('history: a click chooses a night, keys go on, a hole says why', async () => {
  const page = await at(`view=history&series=${EXIT}`);
  const box = (await page.locator('.chart').first().boundingBox())!;
  await page.mouse.click(box.x + box.width / 2, box.y + 150);
  await page.waitForFunction(() => location.hash.includes('run='));
  const chosen = (await hashOf(page)).get('run')!;
  expect(await page.locator('.night-panel').textContent()).toContain(chosen);
  await page.locator('#earlier').focus();
  await page.keyboard.press('Enter');
  const before = run(machine.runs.findIndex((one) => one.run === chosen) - 1);
  await page.waitForFunction((name) => location.hash.includes(name), before);
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('earlier');
  await page.evaluate((name) => { location.hash = `view=history&run=${name}`; }, run(25));
  await page.locator('.night-panel', { hasText: 'a hole: the row crashed: signal 11' }).waitFor();
});

test('history: brushed nights are summed up', async () => {
  const page = await at(`view=history&series=${EXIT}`);
  await page.locator('.chart svg').first().waitFor();
  await page.getByRole('button', { name: 'brush nights' }).click();
  const box = (await page.locator('.chart').first().boundingBox())!;
  await page.mouse.move(box.x + 200, box.y + 150);
  await page.mouse.down();
  await page.mouse.move(box.x + 400, box.y + 160, { steps: 5 });
  await page.mouse.up();
  await page.waitForFunction(() => document.querySelector('#brushed')?.textContent
    ?.startsWith('Brushed: '));
  await page.getByRole('button', { name: 'zoom to them' }).click();
  await page.waitForFunction(() => location.hash.includes('from='));
});

test('two clicks compare two nights, a limit hides the small changes', async () => {
  const page = await at('view=compare');
  await page.locator(`[id="night-${run(30)}"]`).click();
  await page.locator('#step', { hasText: 'Now click' }).waitFor();
  await page.locator(`[id="night-${run(59)}"]`).click();
  await page.locator('main table').waitFor();
  expect(Object.fromEntries(await hashOf(page))).toMatchObject({ a: run(30), b: run(59) });
  const rows = page.locator('main tbody tr');
  expect(await rows.first().textContent()).toContain(EXIT);
  expect(await rows.count()).toBe(25);
  await page.getByRole('button', { name: 'show 35 more' }).click();
  expect(await rows.count()).toBe(machine.series.length);
  await page.locator('#least').selectOption('3');
  await page.waitForFunction(() => document.querySelectorAll('main tbody tr').length === 1);
  await page.locator('#swap').click();
  await page.waitForFunction((name) => location.hash.includes(`b=${name}`), run(30));
  expect(await rows.first().textContent()).toContain('\u2212');
});

test('the calendar is one stop of the Tab key, arrows move in it', async () => {
  const page = await at('view=compare');
  expect(await page.locator('.night[tabindex="0"]').count()).toBe(1);
  await page.locator('.night[tabindex="0"]').focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Enter');
  await page.waitForFunction((name) => location.hash.includes(`a=${name}`), run(58));
});

test('slash goes to the search, which filters while somebody types', async () => {
  const page = await at('view=history');
  await page.keyboard.press('/');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('search');
  await page.keyboard.type('/exit/ n:16');
  await page.clock.runFor(500);
  await page.waitForFunction(() => location.hash.includes('q='));
  const names = await page.locator('.panel h3').allTextContents();
  expect(names).toEqual(['finalize/exit/n:16', 'finalize/exit/n:16 (ns)']);
  await page.locator('#by-subject').focus();
  await page.locator('#by-subject').selectOption('registry');
  await page.waitForFunction(() => document.querySelectorAll('.panel').length === 1);
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('by-subject');
});

test('every control is reached by Tab and shows it', async () => {
  const page = await at('view=stress');
  const all = await page.evaluate(() => [...document.querySelectorAll<HTMLElement>(
    'a, button, select, input, [tabindex="0"]')].filter((one) => one.tabIndex >= 0
    && !(one as HTMLButtonElement).disabled).length);
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  const reached = new Set<number>();
  for (let presses = 0; presses < all; presses += 1) {
    await page.keyboard.press('Tab');
    const [index, outline] = await page.evaluate(() => {
      const one = document.activeElement!;
      return [[...document.querySelectorAll('*')].indexOf(one), getComputedStyle(one).outlineStyle];
    });
    reached.add(index as number);
    expect(outline).not.toBe('none');
  }
  expect(reached.size).toBe(all);
});

test('the colours can be switched, and stay', async () => {
  const page = await at('');
  await page.locator('#theme').click();
  expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark');
  await page.reload();
  expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark');
});

test('CSV, JSON and SVG hold what is shown', async () => {
  const page = await at(`view=history&series=${EXIT}`);
  await page.locator('.chart svg').first().waitFor();
  const title = `history of ${EXIT}`;
  const table = await saved(page, `download ${title} as CSV`);
  expect(table.name).toBe('threadref-history-of-finalize-exit-registry-n-16.csv');
  const lines = table.text.trimEnd().split('\r\n');
  expect(lines).toHaveLength(machine.runs.length + 1);
  expect(lines[26]).toContain('the row crashed: signal 11');
  const json = JSON.parse((await saved(page, `download ${title} as JSON`)).text);
  expect(json[0].value).toBe(machine.series.find((one) => one.name === EXIT)!.value[0]);
  expect((await saved(page, `download ${title} as SVG`)).text).toMatch(/^<svg/);
  const all = await saved(page, 'download all data of this page as JSON');
  expect(JSON.parse(all.text)).toEqual(data);
});

test('a link to what is not there says so', async () => {
  const page = await at('view=history&machine=nobody&series=finalize/none');
  const said = (await page.locator('.warning').allTextContents()).join(' ');
  expect(said).toContain('the machine nobody');
  expect(said).toContain('the series finalize/none');
});

test('no data, and data of another schema, are one sentence each', async () => {
  opened = await open(browser, pages.write('null.html', null));
  expect(await opened.page.locator('#sentence').textContent()).toContain('scripts/nightly.sh');
  await opened.page.goto(pages.write('schema.html', { ...data, schema: 2 }));
  expect(await opened.page.locator('#sentence').textContent()).toContain('schema 2');
});

test('a machine without a night, and a first night full of holes, fail nowhere', async () => {
  const copy = structuredClone(data);
  const [first, empty] = copy.machines;
  Object.assign(empty, { runs: [], last_usable: null, series: [], changes: [], stress: [],
    stress_nights: [], matrix: [], targets: [] });
  Object.assign(first, { runs: [{ ...first.runs[9], pairs: [], environment: {},
    controls: { self: null, clone: null, band: null } }], last_usable: null, changes: [],
  stress: [], stress_nights: [], matrix: [], targets: [] });
  for (const series of first.series) {
    Object.assign(series, { run: [0], value: [null], low: [null], high: [null], ns: [null],
      why: { 0: 'crashed' }, samples: {}, quantiles: {}, latency: {}, order: {},
      change_points: [] });
  }
  const bare = pages.write('bare.html', copy);
  opened = await open(browser, bare);
  const all = await views(opened.page);
  for (const { name } of copy.machines) {
    for (const view of all) {
      await opened?.close();
      opened = await open(browser, `${bare}#view=${view}&machine=${name}`);
      expect((await opened.page.locator('main').textContent())!.length).toBeGreaterThan(30);
      expect(opened.errors, `${view} of ${name}`).toEqual([]);
    }
  }
  expect(await opened!.page.locator('main').textContent()).toContain('no night');
});

test('names out of the data are text, whatever they hold', async () => {
  const evil = '</script><img src=x onerror="document.title=1">';
  const copy = structuredClone(data);
  copy.machines[0].series[0].subject = evil;
  copy.machines[0].changes[0].sentence = evil;
  copy.problems = [evil];
  opened = await open(browser, pages.write('evil.html', copy));
  expect(await opened.page.locator('.change').first().textContent()).toContain(evil);
  expect(await opened.page.locator('#unread').textContent()).toContain(evil);
  await opened.page.goto(`${opened.page.url()}#view=history`);
  await opened.page.locator('.chart svg').first().waitFor();
  await opened.page.locator('.chart svg').first().hover();
  expect(await opened.page.locator('img').count()).toBe(0);
});
