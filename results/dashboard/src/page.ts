// SPDX-License-Identifier: MIT
// The frame around the views: address, filters, colours, keys.
import type { Machine, PageData } from './data';
import { format, parse, type State } from './logic/state';
import { filterSeries } from './logic/select';
import { disposeCharts } from './ui/chart';
import { announce, button, download, fill, h, select, type Child } from './ui/dom';
import { otherTheme, switchTheme } from './ui/theme';
import { VIEWS } from './views/all';
import type { Context, View } from './views/view';

const IDS = VIEWS.map((view) => view.id);
const SEARCH_PAUSE_MS = 150;

function unique(values: string[]): string[] {
  return [...new Set(values)].sort();
}

// Builds the frame and gives back what draws the page anew from the address.
export function start(place: HTMLElement, data: PageData): () => void {
  const subjects = unique(data.machines.flatMap((machine) =>
    machine.series.map((series) => series.subject)));
  const bar = h('nav', { 'aria-label': 'views' });
  const filters = h('div', { class: 'filters' });
  const main = h('main', { id: 'main', tabindex: -1 });
  let state = parse(location.hash, IDS);

  const go = (change: Partial<State>) => {
    const next = format({ ...state, ...change });
    if (next !== location.hash) location.hash = next;
  };
  const keep = (change: Partial<State>) => {
    state = { ...state, ...change };
    window.history.replaceState(null, '', format(state));
  };

  const theme = button('', () => {
    switchTheme();
    render();
    announce(`now ${document.documentElement.dataset.theme} colours`);
  }, { id: 'theme' });

  const render = () => {
    theme.textContent = `${otherTheme()} colours`;
    state = parse(location.hash, IDS);
    const view = VIEWS.find((one) => one.id === state.view) as View;
    const named = data.machines.find((machine) => machine.name === state.machine);
    const machine = named ?? data.machines[0];
    const context: Context = { data, state, machine, subjects, go, keep,
      series: filterSeries(machine.series, view.filtered ? state
        : { ...state, group: '', quantity: '', subject: '' }) };
    const focused = document.activeElement?.id;
    disposeCharts();
    fill(bar, tabs(state));
    drawFilters(filters, context, view);
    fill(main, h('h1', { class: view.id === 'today' ? 'unseen' : null }, heading(view, machine)),
      state.machine && !named && h('p', { class: 'warning' },
        `The link names the machine ${state.machine}, which this page does not have.`),
      machine.runs.length || view.scope !== 'machine' ? view.draw(context)
        : h('p', { class: 'hole' }, `${machine.name} has stored no night yet.`));
    document.title = `threadref: ${heading(view, machine)}`;
    // What had the focus is a new element now; the keyboard goes on where it was.
    if (focused && focused !== document.activeElement?.id) {
      document.getElementById(focused)?.focus();
    }
  };

  fill(place,
    h('a', { class: 'skip', href: '#main', onclick: (event) => {
      event.preventDefault();
      main.focus();
    } }, 'skip to the content'),
    h('header', {}, banner(data),
      h('div', { class: 'top' }, h('span', { class: 'name' }, 'threadref'), bar,
        tools(data, theme)),
    h('div', { class: 'filters', role: 'search' }, searchField(go), filters)), main);
  addEventListener('hashchange', render);
  addEventListener('keydown', searchKey);
  return render;
}

function heading(view: View, machine: Machine): string {
  return view.scope === 'machine' ? `${view.title} on ${machine.name}` : view.title;
}

function banner(data: PageData): Child {
  return data.simulated && h('p', { class: 'banner', id: 'simulated' },
    h('strong', {}, 'Simulated: '), 'no machine has measured what this page shows.');
}

function tabs(state: State): Child {
  return h('ul', {}, VIEWS.map((view) => h('li', {}, h('a', {
    id: `tab-${view.id}`, 'aria-current': view.id === state.view ? 'page' : null,
    href: format({ ...state, view: view.id }),
  }, view.title))));
}

function tools(data: PageData, theme: HTMLElement): Child {
  return h('div', { class: 'tools' },
    button('all data', () => download('threadref.json', 'application/json', JSON.stringify(data)),
      { 'aria-label': 'download all data of this page as JSON' }), theme);
}

// `/` as in most pages that list things.
function searchKey(event: KeyboardEvent): void {
  const typing = (event.target as HTMLElement).closest('input, select, textarea');
  if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  document.getElementById('search')?.focus();
}

// Made once, so that the field in which somebody types stays.
function searchField(go: Context['go']): HTMLElement {
  let pause = 0;
  const input = h('input', { id: 'search', type: 'search', autocomplete: 'off',
    placeholder: 'words of a name ( / )', oninput: () => {
      clearTimeout(pause);
      pause = window.setTimeout(() => go({ q: input.value.trim() }), SEARCH_PAUSE_MS);
    } });
  return h('label', { class: 'field' }, h('span', {}, 'search'), input);
}

function drawFilters(place: HTMLElement, context: Context, view: View): void {
  const { data, machine, state, go } = context;
  const choice = (key: 'group' | 'quantity' | 'subject') => select(`by-${key}`, key,
    [['', 'all'], ...unique(machine.series.map((series) => series[key]))
      .map((value): [string, string] => [value, value])],
    state[key], (value) => go({ [key]: value }));
  const search = document.getElementById('search') as HTMLInputElement;
  if (search !== document.activeElement) search.value = state.q;
  fill(place,
    view.scope !== 'page' && select('machine', 'machine',
      data.machines.map((one) => [one.name, one.name]), machine.name,
      (name) => go({ machine: name })),
    view.filtered && (['group', 'quantity', 'subject'] as const).map(choice));
}
