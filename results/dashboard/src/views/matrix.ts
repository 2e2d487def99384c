// SPDX-License-Identifier: MIT
// Which back end kept which guarantee, and what changed since the night before.
import type { Machine } from '../data';
import { chosenRun, matrixCells, matrixChanges, upTo, type MatrixCell } from '../logic/nights';
import { matches } from '../logic/select';
import * as words from '../logic/words';
import { h } from '../ui/dom';
import { table, type Column } from '../ui/table';
import { nightSelect } from './night_select';
import type { View } from './view';

const SAID: Record<string, string> = {
  kept: 'kept', broken: 'broken', declared: 'declared', unknown: 'unknown', '': 'not run',
};

function show(cell: MatrixCell) {
  const word = SAID[cell.grade] ?? cell.grade;
  if (cell.was === null) return word;
  return [h('strong', {}, word), h('small', {}, ` was ${SAID[cell.was] ?? cell.was}`)];
}

function history(machine: Machine, q: string) {
  return table({ caption: 'cells that changed from one stored night to the next, newest first',
    empty: 'No cell has changed over the stored nights.', most: 30 }, [
    { title: 'night', text: true, value: ({ run }) => machine.runs[run].run },
    { title: 'guarantee', text: true, value: ({ cell }) => cell.row },
    { title: 'back end', text: true, value: ({ cell }) => cell.backend },
    { title: 'was', text: true, value: ({ cell }) => SAID[cell.was ?? ''] ?? cell.was },
    { title: 'became', text: true, value: ({ cell }) => SAID[cell.grade] ?? cell.grade },
  ], matrixChanges(machine.matrix).filter(({ cell }) => matches(cell.row, q)));
}

export const matrix: View = {
  id: 'matrix', title: 'Matrix', scope: 'machine', filtered: false,
  draw(context) {
    const { machine, state } = context;
    const run = chosenRun(machine, state.run);
    const night = upTo(machine.matrix, run);
    if (!night) {
      return [nightSelect(context, run), h('p', { class: 'hole' },
        `No guarantee matrix of ${machine.name} is stored for this night or an earlier one.`)];
    }
    const rows = matrixCells(night, upTo(machine.matrix, night.run - 1))
      .filter((row) => matches(row[0]?.row ?? '', state.q));
    const changed = rows.flat().filter((cell) => cell.was !== null).length;
    const broken = rows.flat().filter((cell) => cell.grade === 'broken').length;
    const columns: Column<MatrixCell[]>[] = [
      { title: 'guarantee', text: true, value: (row) => row[0]?.row ?? '' },
      ...night.backends.map((backend, at): Column<MatrixCell[]> => ({
        title: backend, text: true, value: (row) => row[at].grade, show: (row) => show(row[at]),
        mark: (row) => `grade ${row[at].grade || 'absent'}`
          + (row[at].was === null ? '' : ' changed'),
      })),
    ];
    return [
      nightSelect(context, run),
      night.run !== run && h('p', { class: 'warning' },
        `The night of ${words.night(machine.runs[run])} stored no matrix; this is the `
          + `one of ${words.night(machine.runs[night.run])}.`),
      h('p', {}, `${words.plural(changed, 'cell')} changed against the night before, `
        + `${words.plural(broken, 'broken guarantee')}. "declared" is a deviation that the back `
        + 'end names itself; "not run" is a hole: the back end does not claim what the row needs.'),
      table({ caption: `guarantees in ${machine.runs[night.run].run} on ${machine.name}`,
        empty: 'No row of the stored matrix passes the search.' }, columns, rows),
      history(machine, state.q),
    ];
  },
};
