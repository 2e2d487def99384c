// SPDX-License-Identifier: MIT
// How figures, nights and commits are said: one place, so that a chart, a table and a sentence
// never round differently.
import type { Change, Run, Series } from '../data';

const MINUS = '\u2212';

export function ratio(value: number | null): string {
  return value === null ? '' : `${value.toFixed(3)}×`;
}

// Of a ratio: 1.052 is +5.2 %.
export function percent(value: number | null): string {
  if (value === null) return '';
  const size = Math.abs((value - 1) * 100).toFixed(1);
  if (size === '0.0') return '0.0 %';
  return `${value < 1 ? MINUS : '+'}${size} %`;
}

export function interval(low: number | null, high: number | null): string {
  return low === null || high === null ? '' : `[${digits(low)}, ${digits(high)}]`;
}

export function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  if (size >= 100) return value.toFixed(1);
  if (size >= 10) return value.toFixed(2);
  if (size >= 0.1) return value.toFixed(3);
  return size === 0 ? '0' : value.toPrecision(2);
}

function scaled(value: number, units: string[], step: number): string {
  let unit = 0;
  let size = value;
  while (Math.abs(size) >= step && unit + 1 < units.length) {
    size /= step;
    unit += 1;
  }
  return `${Number(size.toPrecision(3))} ${units[unit]}`;
}

export function ns(value: number | null): string {
  return value === null ? '' : scaled(value, ['ns', 'µs', 'ms', 's'], 1000);
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

// Large totals in words: nobody compares the last digits of 61,234,567 threads.
export function total(value: number): string {
  if (value < 1e5) return count(value);
  const [size, word] = value < 1e6 ? [1e3, 'thousand'] : value < 1e9 ? [1e6, 'million']
    : [1e9, 'billion'];
  return `${Number((value / size).toPrecision(3))} ${word}`;
}

export function figure(kind: Series['kind'], value: number | null): string {
  if (value === null) return '';
  switch (kind) {
    case 'ratio': return ratio(value);
    case 'ns': return ns(value);
    case 'bytes': return scaled(value, ['B', 'KiB', 'MiB', 'GiB'], 1024);
    case 'instructions':
    case 'count': return digits(value);
  }
}

export function axis(series: Series): string {
  const units = { ns: 'ns', instructions: 'instructions', bytes: 'bytes', count: 'count' };
  if (series.kind !== 'ratio') return units[series.kind];
  return series.to ? `ratio to ${series.to}` : 'ratio';
}

export function short(commit: string): string {
  return commit.slice(0, 7);
}

export function commits(from: string, to: string): string {
  return from === to ? `in ${short(to)}` : `${short(from)}..${short(to)}`;
}

// The night is the UTC day on which it started: what people call it.
export function night(run: Run): string {
  return run.started.slice(0, 10);
}

export function nightAndCommit(run: Run): string {
  return `${night(run)}, ${short(run.commit)}`;
}

export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}

export function verdict(status: number): string {
  if (status === 0) return 'Nothing worse';
  return status === 2 ? 'Worse' : 'Not usable';
}

const KINDS: Record<Change['kind'], string> = {
  regression: 'slower', improvement: 'faster', forbidden: 'forbidden outcome',
  sanitizer: 'sanitizer report', target: 'target missed', guarantee: 'guarantee changed',
};

// A regression of instructions or bytes is not slower, it is more.
export function changeWord(kind: Change['kind'], series: Series | undefined): string {
  if (series && (series.kind !== 'ratio' && series.kind !== 'ns')) {
    if (kind === 'regression') return `more ${series.kind}`;
    if (kind === 'improvement') return `fewer ${series.kind}`;
  }
  return KINDS[kind];
}
