// SPDX-License-Identifier: MIT
// What happened between nights: new environments, cells of the matrix that changed.
import type { Machine, MatrixNight, Run, Series } from '../data';

export interface Segment { hash: string; first: number; last: number; changed: string[] }

function differingKeys(before: Run, after: Run): string[] {
  const keys = new Set([...Object.keys(before.environment), ...Object.keys(after.environment)]);
  return [...keys].filter((key) => before.environment[key] !== after.environment[key]);
}

// Load and the like differ within a segment too, so they are not what began a new one.
function volatileKeys(machine: Machine): Set<string> {
  const found = new Set<string>();
  machine.runs.forEach((run, index) => {
    const before = machine.runs[index - 1];
    if (before?.environment_hash !== run.environment_hash) return;
    for (const key of differingKeys(before, run)) found.add(key);
  });
  return found;
}

function changedKeys(before: Run, after: Run, except: Set<string>): string[] {
  return differingKeys(before, after).filter((key) => !except.has(key))
    .map((key) => `${key}: ${before.environment[key] ?? 'not there'} → `
      + `${after.environment[key] ?? 'not there'}`);
}

// Figures of two segments do not compare: another compiler, kernel or CPU is another machine.
export function segments(machine: Machine): Segment[] {
  const found: Segment[] = [];
  const except = volatileKeys(machine);
  machine.runs.forEach((run, index) => {
    const open = found.at(-1);
    if (open && open.hash === run.environment_hash) {
      open.last = index;
      return;
    }
    const changed = index ? changedKeys(machine.runs[index - 1], run, except) : [];
    found.push({ hash: run.environment_hash, first: index, last: index, changed });
  });
  return found;
}

export interface MatrixCell { row: string; backend: string; grade: string; was: string | null }

// `was` is the grade of the night before where that one was another; null: unchanged, or the cell
// is new and has nothing to differ from.
export function matrixCells(night: MatrixNight, before: MatrixNight | undefined): MatrixCell[][] {
  return night.rows.map((row, r) => night.backends.map((backend, b) => {
    const grade = night.grades[r][b];
    const old = before?.grades[before.rows.indexOf(row)]?.[before.backends.indexOf(backend)];
    return { row, backend, grade, was: old !== undefined && old !== grade ? old : null };
  }));
}

export function matrixChanges(nights: MatrixNight[]): { run: number; cell: MatrixCell }[] {
  return nights.flatMap((night, at) => matrixCells(night, nights[at - 1]).flat()
    .filter((cell) => cell.was !== null).map((cell) => ({ run: night.run, cell }))).reverse();
}

export function runIndex(machine: Machine, name: string): number {
  return machine.runs.findIndex((run) => run.run === name);
}

// The chosen night, or the last usable one, or at least the last.
export function chosenRun(machine: Machine, name: string): number {
  const chosen = runIndex(machine, name);
  if (chosen >= 0) return chosen;
  return machine.last_usable ?? machine.runs.length - 1;
}

// The newest entry of a list by nights that is not younger than `run`.
export function upTo<T extends { run: number }>(list: T[], run: number): T | undefined {
  return list.filter((entry) => entry.run <= run).at(-1);
}

export function reason(series: Series, position: number): string {
  return series.why[String(position)] ?? 'no figure is stored, nor a reason';
}

export interface Disorder { series: Series; now: string; exceptions: number; last: string }

// Exceptions first, then what was once an exception, then by name.
export function orders(machine: Machine, list: Series[], run: number): Disorder[] {
  const rows: Disorder[] = [];
  for (const series of list) {
    const seen = Object.entries(series.order)
      .map(([position, order]) => ({ run: series.run[Number(position)], order }))
      .filter((entry) => entry.run <= run).sort((one, other) => one.run - other.run);
    if (!seen.length) continue;
    const wrong = seen.filter((entry) => entry.order !== 'ok');
    const last = seen[seen.length - 1];
    const here = last.run === run ? last.order : 'not measured in this night';
    rows.push({ series, now: here, exceptions: wrong.length,
      last: wrong.length ? machine.runs[wrong[wrong.length - 1].run].run : '' });
  }
  const rank = (row: Disorder) => (row.now !== 'ok' ? 0 : row.exceptions ? 1 : 2);
  return rows.sort((one, other) => rank(one) - rank(other)
    || one.series.name.localeCompare(other.series.name));
}
