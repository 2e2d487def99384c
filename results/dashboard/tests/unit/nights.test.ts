// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { chosenRun, matrixCells, matrixChanges, orders, segments, upTo }
  from '../../src/logic/nights';
import { filterSeries, matches, panels, sweeps } from '../../src/logic/select';
import { box, ecdf, median, quantile, storedBox } from '../../src/logic/statistics';
import { EMPTY } from '../../src/logic/state';
import { simulate, SMALL } from '../simulate';

const [machine] = simulate(SMALL).machines;
const last = machine.runs.length - 1;

test('a new environment hash begins a segment and says what is new, but not the load', () => {
  const found = segments(machine);
  expect(found.map(({ first, last: end }) => [first, end])).toEqual([[0, 19], [20, 59]]);
  expect(found[1].changed).toEqual(['compiler: g++ 12.2.0 → g++ 12.3.0']);
});

test('cells of the matrix are marked against the night before', () => {
  const marked = matrixCells(machine.matrix[last], machine.matrix[last - 1]).flat()
    .filter((cell) => cell.was !== null);
  expect(marked).toEqual([{ row: 'newest first', backend: 'cxx_thread_local', grade: 'broken',
    was: 'kept' }]);
  expect(matrixChanges(machine.matrix)).toEqual([{ run: last, cell: marked[0] }]);
  const stranger = { ...machine.matrix[last - 1], backends: ['other'] };
  expect(matrixCells(machine.matrix[last], stranger).flat().every((cell) => cell.was === null))
    .toBe(true);
});

test('exceptions of the order come first', () => {
  const [first, ...rest] = orders(machine, machine.series, last);
  expect(first.series.subject).toBe('cxx_thread_local');
  expect(first.now).toBe('oldest first');
  expect(rest.every((row) => row.now === 'ok')).toBe(true);
  const [before] = orders(machine, machine.series, last - 1);
  expect(before.now).toBe('ok');
  expect(before.exceptions).toBe(first.exceptions - 1);
});

test('the chosen night, else the last usable one', () => {
  expect(chosenRun(machine, machine.runs[3].run)).toBe(3);
  expect(chosenRun(machine, 'none')).toBe(machine.last_usable);
  expect(chosenRun({ ...machine, last_usable: null }, '')).toBe(last);
  expect(upTo([{ run: 1 }, { run: 5 }], 4)).toEqual({ run: 1 });
  expect(upTo([{ run: 5 }], 4)).toBe(undefined);
});

test('search takes words in any order; filters add up', () => {
  expect(matches('finalize/exit/registry/n:16', 'N:16 exit')).toBe(true);
  expect(matches('finalize/exit/registry/n:16', 'exit key')).toBe(false);
  const found = filterSeries(machine.series, { ...EMPTY, quantity: 'exit', subject: 'registry',
    q: 'n:16' });
  expect(found.map((series) => series.name)).toEqual(['finalize/exit/registry/n:16']);
});

test('a panel holds subjects of one quantity and one kind', () => {
  const found = panels(machine.series);
  expect(found.get('finalize/exit/n:16')?.map((one) => one.subject)).toEqual(['registry',
    'pthread_key', 'cxa_thread_atexit', 'cxx_thread_local']);
  expect(found.get('finalize/exit/n:16 (ns)')?.map((one) => one.subject))
    .toEqual(['floor_destructor']);
});

test('a sweep differs in one parameter, by rising size', () => {
  const found = sweeps(machine.series);
  const exit = found.find((one) => one.title === 'finalize/exit (ratio) against n')!;
  expect(exit.lines[0].points.map((one) => one.parameters.n)).toEqual([1, 16, 256]);
  expect(found.some((one) => one.title.includes('ensure'))).toBe(false);
});

test('quantiles', () => {
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
  expect(median([3, 1, 2])).toBe(2);
  expect(box([5, 5, 5])).toEqual([5, 5, 5, 5, 5]);
  expect(storedBox([0, 1, 2, 3, 4, 5, 6])).toEqual([1, 2, 3, 4, 5]);
  expect(ecdf([2, 1])).toEqual([[1, 0.5], [2, 1]]);
});

test('the lock file names no host', () => {
  const lock = readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8');
  expect(lock).not.toMatch(/:\/\/|"resolved"/);
});

test('no source line is longer than 100 columns', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const sources = ['src', 'tests'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|css|html)$/.test(name)).map((name) => join(root, folder, name)));
  expect(sources.length).toBeGreaterThan(30);
  const long = sources.flatMap((path) => readFileSync(path, 'utf8').split('\n')
    .flatMap((line, at) => ([...line].length > 100 ? [`${path}:${at + 1}`] : [])));
  expect(long).toEqual([]);
});
