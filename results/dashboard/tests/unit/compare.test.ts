// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { atLeast, compareRuns, noise } from '../../src/logic/compare';
import { simulate, SMALL } from '../simulate';

const [machine] = simulate(SMALL).machines;
const exit = machine.series.find((one) => one.name === 'finalize/exit/registry/n:16')!;
const last = machine.runs.length - 1;

test('B over A, largest change first', () => {
  const rows = compareRuns(machine, machine.series, 30, last);
  expect(rows[0].series.name).toBe(exit.name);
  expect(rows[0].ratio).toBeCloseTo(exit.value[last]! / exit.value[30]!, 9);
  expect(rows[0].a_ns).toBe(exit.ns[30]);
  const sizes = rows.map((row) => Math.abs(Math.log(row.ratio!)));
  expect(sizes).toEqual([...sizes].sort((one, other) => other - one));
});

test('a fall of the same factor ranks as a rise does', () => {
  const [rise, fall] = [1.1, 1 / 1.2].map((ratio, at) => ({ ...exit, name: String(at),
    value: exit.value.map((_, index) => (index === last ? ratio : 1)) }));
  const rows = compareRuns(machine, [rise, fall], 0, last);
  expect(rows.map((row) => row.series.name)).toEqual(['1', '0']);
});

test('a hole keeps its reason and survives the filter', () => {
  const [row] = compareRuns(machine, [exit], 25, last);
  expect(row.ratio).toBe(null);
  expect(row.why).toBe(`${machine.runs[25].run}: the row crashed: signal 11`);
  expect(atLeast([row], 200)).toEqual([row]);
  const [young] = compareRuns(machine, [{ ...exit, run: exit.run.slice(10) }], 2, last);
  expect(young.why).toBe(`not measured in ${machine.runs[2].run}`);
});

test('the magnitude filter counts both directions and its own limit', () => {
  const rows = [1.05, 0.95, 1.049, 1].map((ratio) => ({ ratio })) as Parameters<typeof atLeast>[0];
  expect(atLeast(rows, 5).map((row) => row.ratio)).toEqual([1.05, 0.95]);
  expect(atLeast(rows, 0)).toHaveLength(4);
});

test('the pair row of night B, and whether it is of these commits', () => {
  const [series] = machine.series;
  const [beside] = compareRuns(machine, [series], last - 1, last);
  expect(beside.pair?.verdict).toBe('same');
  expect(beside.samePair).toBe(true);
  const [apart] = compareRuns(machine, [series], last - 3, last);
  expect(apart.pair).not.toBe(null);
  expect(apart.samePair).toBe(false);
  expect(compareRuns(machine, [series], last, 3)[0].pair).toBe(null);
});

test('noise is the wider band of the two', () => {
  expect(noise(machine, 9, last)).toBe(0.041);
  expect(noise(machine, last, last)).toBe(0.008);
});
