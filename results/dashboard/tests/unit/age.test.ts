// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { age, overdueSentence, since } from '../../src/logic/age';
import { simulate, SMALL } from '../simulate';

const HOUR = 3600e3;
const { machines } = simulate(SMALL);
const [machine] = machines;
const finished = Date.parse(machine.runs[machine.last_usable!].finished);

test('an age is said in hours, then in days', () => {
  expect(since(0.4)).toBe('less than an hour');
  expect(since(1)).toBe('1 hour');
  expect(since(47.9)).toBe('47 hours');
  expect(since(51)).toBe('2 days 3 hours');
  expect(since(72)).toBe('3 days');
});

test('a night is overdue after the limit, not at it', () => {
  expect(age(machine, finished + 36 * HOUR, 36).overdue).toBe(false);
  const late = age(machine, finished + 36 * HOUR + 1000, 36);
  expect(late.overdue).toBe(true);
  expect(late.words).toBe('overdue: 36 hours old');
});

test('only usable nights count', () => {
  const runs = machine.runs.map((run, index) => ({ ...run,
    usable: index < machine.runs.length - 1 }));
  const older = { ...machine, runs, last_usable: machine.runs.length - 2 };
  expect(age(older, finished + 13 * HOUR, 36).overdue).toBe(true);
});

test('a machine without a usable night is overdue, and so is one from the future', () => {
  expect(age({ ...machine, last_usable: null }, finished, 36).words)
    .toBe('overdue: no usable night yet');
  const future = age(machine, finished - HOUR, 36);
  expect(future.overdue).toBe(true);
  expect(future.words).toContain('a clock is wrong');
});

test('the sentence names the late machines only', () => {
  const late = { ...machines[1], last_usable: 0 };
  expect(overdueSentence([machine, late], finished + HOUR, 36))
    .toBe('Overdue, no usable night within 36 hours: genoa.');
  expect(overdueSentence(machines, finished + HOUR, 36)).toBe('');
});
