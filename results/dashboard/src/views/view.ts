// SPDX-License-Identifier: MIT
// What every view gets, and what it is.
import type { Machine, PageData, Series } from '../data';
import { EMPTY, format, type State } from '../logic/state';
import { h, select, type Child } from '../ui/dom';

export interface Context {
  data: PageData;
  state: State;
  machine: Machine;           // the chosen one
  series: Series[];           // of it, what the filters leave
  subjects: string[];         // all of the document, in the order of their colours
  go(change: Partial<State>): void;      // a new page of the browser's history
  keep(change: Partial<State>): void;    // only the address changes: zoom and brush
}

export interface View {
  id: string;
  title: string;
  // machine: of the chosen one, which must have a night; machines: of all, and of the chosen one
  scope: 'page' | 'machine' | 'machines';
  filtered: boolean;          // do the filters by group, quantity and subject apply?
  draw(context: Context): Child;
}

// To a place of the page, without the filters that might hide it.
export function link(text: string, change: Partial<State>): HTMLElement {
  return h('a', { href: format({ ...EMPTY, ...change }) }, text);
}

export function seriesLink(machine: string, series: string): HTMLElement {
  return link(series, { view: 'history', machine, series });
}

// The chosen one of the filtered series, or the first; a link's unknown name is said, not guessed.
export function chosenSeries(context: Context, list: Series[]): { series: Series | null;
  note: HTMLElement | null } {
  const { state, machine } = context;
  const all = machine.series.find((one) => one.name === state.series);
  if (all) return { series: all, note: null };
  const note = state.series ? h('p', { class: 'warning', role: 'alert' },
    `The link names the series ${state.series}, which ${machine.name} does not have.`) : null;
  return { series: list[0] ?? null, note };
}

export function seriesSelect(context: Context, list: Series[], chosen: Series): HTMLElement {
  const names = list.map((one) => one.name);
  if (!names.includes(chosen.name)) names.unshift(chosen.name);
  return select('series', 'series', names.map((name) => [name, name]), chosen.name,
    (series) => context.go({ series }));
}

export const NOTHING_LEFT = 'No series of this machine passes the filter; empty the search box '
  + 'or choose another machine.';
