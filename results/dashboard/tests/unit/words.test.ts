// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { load, SCHEMA } from '../../src/logic/document';
import * as words from '../../src/logic/words';
import { simulate, SMALL } from '../simulate';

test('verdicts', () => {
  expect([0, 2, 3].map(words.verdict)).toEqual(['Nothing worse', 'Worse', 'Not usable']);
});

test('a change says its direction, and of what', () => {
  const [series] = simulate(SMALL).machines[0].series;
  expect(words.changeWord('regression', series)).toBe('slower');
  expect(words.changeWord('improvement', undefined)).toBe('faster');
  expect(words.changeWord('regression', { ...series, kind: 'instructions' }))
    .toBe('more instructions');
  expect(words.changeWord('improvement', { ...series, kind: 'bytes' })).toBe('fewer bytes');
  expect(words.changeWord('sanitizer', series)).toBe('sanitizer report');
});

test('figures', () => {
  expect(words.percent(1.052)).toBe('+5.2 %');
  expect(words.percent(0.931)).toBe('\u22126.9 %');
  expect(words.percent(0.99999)).toBe('0.0 %');
  expect(words.ratio(1.0524)).toBe('1.052×');
  expect(words.ratio(null)).toBe('');
  expect(words.interval(0.92, 1.064)).toBe('[0.920, 1.064]');
  expect(words.interval(null, 1)).toBe('');
  expect(words.ns(89)).toBe('89 ns');
  expect(words.ns(34_400)).toBe('34.4 µs');
  expect(words.ns(2.5e9)).toBe('2.5 s');
  expect(words.figure('bytes', 2048)).toBe('2 KiB');
  expect(words.total(61_600_000)).toBe('61.6 million');
  expect(words.total(99_999)).toBe('99,999');
});

test('commits and nights', () => {
  expect(words.commits('1a2b3c4d5', '1a2b3c4d5')).toBe('in 1a2b3c4');
  expect(words.commits('1a2b3c4d5', '99ffee001')).toBe('1a2b3c4..99ffee0');
  expect(words.plural(1, 'night')).toBe('1 night');
  expect(words.plural(0, 'night')).toBe('0 nights');
});

test('a document that is none is said in one sentence', () => {
  expect(load('null')).toEqual({ sentence: expect.stringContaining('scripts/nightly.sh') });
  expect(load('{"schema": 2}')).toEqual({ sentence: expect.stringContaining('schema 2') });
  expect(load('[1]')).toEqual({ sentence: expect.stringContaining('schema unknown') });
  expect(load('{')).toEqual({ sentence: expect.stringContaining('not JSON') });
  expect(load(`{"schema": ${SCHEMA}, "machines": []}`))
    .toEqual({ sentence: expect.stringContaining('no machine') });
  const data = simulate(SMALL);
  expect(load(JSON.stringify(data))).toEqual({ data });
});
