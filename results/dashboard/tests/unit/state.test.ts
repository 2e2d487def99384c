// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { csv } from '../../src/logic/csv';
import { EMPTY, format, parse, pick } from '../../src/logic/state';

const VIEWS = ['today', 'history', 'compare'];

test('what is in the hash comes back', () => {
  const state = { ...EMPTY, view: 'history', machine: 'vm', series: 'finalize/exit/registry/n:16',
    from: '2026-01-01T020304Z-1a2b3c4', to: '2026-01-31T020304Z-99ffee0', q: 'a&b=c # 50 %' };
  expect(parse(format(state), VIEWS)).toEqual(state);
});

test('a link can be read', () => {
  expect(format({ ...EMPTY, view: 'history', series: 'finalize/exit/registry/n:16' }))
    .toBe('#view=history&series=finalize/exit/registry/n:16');
});

test('nothing, strange keys and unknown views lead to the first screen', () => {
  expect(parse('', VIEWS)).toEqual({ ...EMPTY, view: 'today' });
  expect(parse('#view=nowhere&__proto__=1&toString=2', VIEWS)).toEqual({ ...EMPTY, view: 'today' });
  expect(parse('#%', VIEWS).view).toBe('today');
});

test('two clicks compare, a third begins again, the same night twice takes it back', () => {
  const first = pick(EMPTY, 'one');
  expect(first).toEqual({ a: 'one', b: '' });
  const second = pick({ ...EMPTY, ...first }, 'two');
  expect(second).toEqual({ a: 'one', b: 'two' });
  expect(pick({ ...EMPTY, ...second }, 'three')).toEqual({ a: 'three', b: '' });
  expect(pick({ ...EMPTY, ...first }, 'one')).toEqual({ a: '', b: '' });
});

test('CSV quotes what needs it and leaves a hole empty', () => {
  expect(csv(['a', 'b,c'], [['say "so"', null], [1.5, 'two\nlines'], [true, 'plain']]))
    .toBe('a,"b,c"\r\n"say ""so""",\r\n1.5,"two\nlines"\r\ntrue,plain\r\n');
});
