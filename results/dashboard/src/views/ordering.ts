// SPDX-License-Identifier: MIT
// In which order finalizers ran: newest first is the contract, anything else an exception.
import { chosenRun, orders, type Disorder } from '../logic/nights';
import * as words from '../logic/words';
import { h } from '../ui/dom';
import { table, type Column } from '../ui/table';
import { nightSelect } from './night_select';
import { seriesLink, type View } from './view';

export const ordering: View = {
  id: 'ordering', title: 'Ordering', scope: 'machine', filtered: true,
  draw(context) {
    const { machine } = context;
    const run = chosenRun(machine, context.state.run);
    const rows = orders(machine, context.series, run);
    const wrong = rows.filter((row) => row.now !== 'ok').length;
    const columns: Column<Disorder>[] = [
      { title: 'series', text: true, value: (row) => row.series.name,
        show: (row) => seriesLink(machine.name, row.series.name) },
      { title: 'order', text: true, value: (row) => row.now,
        mark: (row) => (row.now === 'ok' ? '' : 'exception') },
      { title: 'nights with an exception', value: (row) => row.exceptions },
      { title: 'the last of them', text: true, value: (row) => row.last },
    ];
    return [
      nightSelect(context, run),
      h('p', {}, wrong ? `${words.plural(wrong, 'series', 'series')} not in the order newest `
        + 'first, listed first.' : 'Every row that says its order ran newest first ("ok").'),
      table({ caption: `order in ${machine.runs[run].run} on ${machine.name}`,
        empty: 'No row left by the filter says an order in this or an earlier night.' },
      columns, rows),
    ];
  },
};
