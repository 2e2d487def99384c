// SPDX-License-Identifier: MIT
// Which series the filters leave, and how series belong together.
import type { Series } from '../data';
import type { State } from './state';

type Filter = Pick<State, 'q' | 'group' | 'quantity' | 'subject'>;

export function matches(text: string, q: string): boolean {
  const lower = text.toLowerCase();
  return q.toLowerCase().split(/\s+/).every((word) => lower.includes(word));
}

export function filterSeries(all: Series[], filter: Filter): Series[] {
  return all.filter((series) => matches(series.name, filter.q)
    && (!filter.group || series.group === filter.group)
    && (!filter.quantity || series.quantity === filter.quantity)
    && (!filter.subject || series.subject === filter.subject));
}

// A quantity with its parameters: what several subjects are compared in. The kind belongs to it,
// because a ratio and a count share no axis.
export function panelName(series: Series): string {
  const rest = Object.entries(series.parameters).map(([name, value]) => `/${name}:${value}`);
  const unit = series.kind === 'ratio' ? '' : ` (${series.kind})`;
  return `${series.group}/${series.quantity}${rest.join('')}${unit}`;
}

export function panels(list: Series[]): Map<string, Series[]> {
  return grouped(list, panelName);
}

export function grouped<T>(list: T[], key: (item: T) => string): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const item of list) {
    const group = found.get(key(item));
    if (group) group.push(item); else found.set(key(item), [item]);
  }
  return found;
}

export interface Sweep {
  title: string;
  parameter: string;
  lines: { subject: string; points: Series[] }[];  // by rising parameter
}

// Series that differ in exactly one integer parameter, over all subjects. A series with two
// parameters can lie in two sweeps.
export function sweeps(list: Series[]): Sweep[] {
  const families = new Map<string, { parameter: string; members: Series[] }>();
  for (const series of list) {
    for (const parameter of Object.keys(series.parameters)) {
      const rest = Object.entries(series.parameters).filter(([name]) => name !== parameter)
        .map(([name, value]) => `/${name}:${value}`).join('');
      const title = `${series.group}/${series.quantity}${rest} (${series.kind}) against `
        + parameter;
      const family = families.get(title) ?? { parameter, members: [] };
      family.members.push(series);
      families.set(title, family);
    }
  }
  const found: Sweep[] = [];
  for (const [title, { parameter, members }] of families) {
    const lines = [...grouped(members, (series) => series.subject)]
      .map(([subject, points]) => ({ subject, points: [...points].sort((one, other) =>
        one.parameters[parameter] - other.parameters[parameter]) }))
      .filter((line) => new Set(line.points.map((one) => one.parameters[parameter])).size > 1);
    if (lines.length) found.push({ title, parameter, lines });
  }
  return found;
}
