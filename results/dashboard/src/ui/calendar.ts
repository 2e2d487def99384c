// SPDX-License-Identifier: MIT
// All nights of a machine as small buttons, a row a month: any night of a year is one click away.
import type { Machine, Run } from '../data';
import { grouped } from '../logic/select';
import { nightAndCommit } from '../logic/words';
import { h } from './dom';

export interface Marked { run: string; mark: string; word: string }

function describe(run: Run): string {
  if (!run.usable) return 'not usable';
  return run.status === 0 ? 'usable' : `status ${run.status}`;
}

// Arrow keys move within the nights, so that 365 of them are one stop of the Tab key.
function move(event: KeyboardEvent, buttons: HTMLButtonElement[]): void {
  const steps: Record<string, number> = {
    ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7, Home: -Infinity, End: Infinity,
  };
  const step = steps[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const at = buttons.indexOf(event.target as HTMLButtonElement);
  const next = Math.max(0, Math.min(buttons.length - 1, at + step));
  buttons.forEach((one, index) => { one.tabIndex = index === next ? 0 : -1; });
  buttons[next].focus();
}

export function calendar(
  machine: Machine, label: string, marked: Marked[], pick: (run: string) => void,
): HTMLElement {
  const buttons: HTMLButtonElement[] = [];
  const current = marked.at(-1)?.run ?? machine.runs.at(-1)?.run;
  const one = (run: Run) => {
    const mark = marked.find((entry) => entry.run === run.run);
    const words = `${nightAndCommit(run)}, ${describe(run)}${mark ? `, ${mark.word}` : ''}`;
    const state = !run.usable ? 'hollow' : run.status === 2 ? 'worse' : '';
    const made = h('button', {
      type: 'button', class: `night ${state} ${mark ? 'marked' : ''}`.trim(), title: words,
      'aria-label': words, 'aria-pressed': mark ? 'true' : 'false', id: `night-${run.run}`,
      tabindex: run.run === current ? 0 : -1, onclick: () => pick(run.run),
    }, mark?.mark ?? `${run.started.slice(8, 10)}${state === 'worse' ? '!' : ''}`);
    buttons.push(made);
    return made;
  };
  const months = [...grouped(machine.runs, (run) => run.started.slice(0, 7))]
    .map(([month, runs]) => h('div', { class: 'month' }, h('span', {}, month), runs.map(one)));
  const box = h('div', { class: 'calendar', role: 'group', 'aria-label': label }, months);
  box.addEventListener('keydown', (event) => move(event, buttons));
  return h('div', {}, box, h('p', { class: 'key' },
    'A dashed frame is a night that is not usable; ! had something worse. '
    + 'Arrow keys move between nights.'));
}
