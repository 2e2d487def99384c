// SPDX-License-Identifier: MIT
import * as words from '../logic/words';
import { button, h, select } from '../ui/dom';
import type { Context } from './view';

// One night of the machine, newest first, and its neighbours.
export function nightSelect(context: Context, chosen: number): HTMLElement {
  const { runs } = context.machine;
  const options = runs.map((run): [string, string] =>
    [run.run, `${words.nightAndCommit(run)}${run.usable ? '' : ', not usable'}`]).reverse();
  const to = (at: number) => context.go({ run: runs[at].run });
  return h('div', { class: 'controls' },
    select('night', 'night', options, runs[chosen].run, (run) => context.go({ run })),
    button('earlier', () => to(chosen - 1), { id: 'earlier', disabled: chosen === 0 }),
    button('later', () => to(chosen + 1), { id: 'later', disabled: chosen + 1 === runs.length }));
}
