// SPDX-License-Identifier: MIT
import type { TargetRow } from '../data';
import { matches } from '../logic/select';
import * as words from '../logic/words';
import { h } from '../ui/dom';
import { table, type Column } from '../ui/table';
import type { View } from './view';

const RANK = ['missed', 'not usable', 'undecided', 'met'];

const COLUMNS: Column<TargetRow>[] = [
  { title: 'target', text: true, value: (row) => row.target },
  { title: 'measured', value: (row) => row.measured, show: (row) => (row.measured === null
    ? h('span', { class: 'hole' }, 'hole') : words.digits(row.measured)) },
  { title: 'interval', value: (row) => words.interval(row.low, row.high) },
  { title: 'limit', value: (row) => row.limit },
  { title: 'verdict', text: true, value: (row) => row.verdict,
    mark: (row) => (row.verdict === 'met' ? '' : 'exception') },
  { title: 'reason', text: true, value: (row) => row.reason },
];

export const targets: View = {
  id: 'targets', title: 'Targets', scope: 'machine', filtered: false,
  draw({ machine, state }) {
    const rows = machine.targets.filter((row) => matches(row.target, state.q)).sort((one, other) =>
      RANK.indexOf(one.verdict) - RANK.indexOf(other.verdict));
    const met = rows.filter((row) => row.verdict === 'met').length;
    return [
      rows.length > 0 && h('p', {}, `${met} of ${words.plural(rows.length, 'target')} met on `
        + `${machine.name}, by the newest run that judged them.`),
      table({ caption: `targets on ${machine.name}`,
        empty: machine.targets.length ? 'No target passes the search.'
          : `No night of ${machine.name} judged the targets; scripts/lab targets measures them.` },
      COLUMNS, rows),
    ];
  },
};
