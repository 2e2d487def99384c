// SPDX-License-Identifier: MIT
// Two nights of one machine, series by series.
import type { Machine, PairRow, Series } from '../data';

export interface Compared {
  series: Series;
  a: number | null;
  b: number | null;
  a_ns: number | null;
  b_ns: number | null;
  ratio: number | null;   // B / A; null: one of them is a hole
  why: string;            // then the reason
  pair: PairRow | null;   // what the paired gate of night B said of this series
  samePair: boolean;      // and whether it compared these very two commits
}

function holeReason(machine: Machine, series: Series, run: number, position: number): string {
  const night = machine.runs[run].run;
  if (position < 0) return `not measured in ${night}`;
  return `${night}: ${series.why[String(position)] ?? 'no figure is stored, nor a reason'}`;
}

function sameCommit(one: string, other: string): boolean {
  return one !== '' && other !== '' && (one.startsWith(other) || other.startsWith(one));
}

function compareSeries(machine: Machine, series: Series, a: number, b: number): Compared {
  const positions = [a, b].map((run) => series.run.indexOf(run));
  const [before, after] = positions.map((at) => (at < 0 ? null : series.value[at]));
  const [beforeNs, afterNs] = positions.map((at) => (at < 0 ? null : series.ns[at]));
  const holes = [[before, a, positions[0]], [after, b, positions[1]]] as const;
  const why = holes.filter(([value]) => value === null)
    .map(([, run, position]) => holeReason(machine, series, run, position)).join('; ');
  const comparable = before !== null && after !== null && before !== 0;
  const pair = machine.runs[b].pairs.find((row) => row.series === series.name) ?? null;
  const samePair = pair !== null && sameCommit(pair.a_commit, machine.runs[a].commit)
    && sameCommit(pair.b_commit, machine.runs[b].commit);
  return {
    series, a: before, b: after, a_ns: beforeNs, b_ns: afterNs, pair, samePair,
    ratio: comparable ? after / before : null,
    why: why || (comparable ? '' : 'the first figure is zero'),
  };
}

// Largest change first, in either direction; what cannot be compared comes last.
export function compareRuns(machine: Machine, list: Series[], a: number, b: number): Compared[] {
  const size = (row: Compared) => {
    if (row.ratio === null) return -1;
    return row.ratio > 0 ? Math.abs(Math.log(row.ratio)) : Infinity;
  };
  return list.map((series) => compareSeries(machine, series, a, b))
    .sort((one, other) => size(other) - size(one));
}

// Holes stay: a filter by size may not hide that something is missing.
export function atLeast(rows: Compared[], percent: number): Compared[] {
  return rows.filter((row) => row.ratio === null
    || Math.abs(row.ratio - 1) * 100 >= percent - 1e-9);
}

// The machine's own noise in these two nights: identical code differed by so much.
export function noise(machine: Machine, a: number, b: number): number | null {
  const bands = [a, b].map((run) => machine.runs[run].controls.band)
    .filter((band): band is number => band !== null);
  return bands.length ? Math.max(...bands) : null;
}
