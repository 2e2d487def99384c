// SPDX-License-Identifier: MIT
// The first screen: what changed, how sure that is, since when, and what to run.
import type { Change, Machine, PageData, StressNight } from '../data';
import { age, overdueSentence } from '../logic/age';
import { matches } from '../logic/select';
import * as words from '../logic/words';
import { upTo } from '../logic/nights';
import { command, fill, h, type Child } from '../ui/dom';
import { exports } from '../ui/table';
import { link, seriesLink, type Context, type View } from './view';

const SHOWN = 4;  // more would push the totals below the first screen
const CLASSES = { 0: 'fine', 2: 'worse', 3: 'unsure' };

// Ages grow while a page stays open, so these are written again every minute.
const ticking = new Set<() => void>();
setInterval(() => ticking.forEach((tick) => tick()), 60_000);

function onTick(element: HTMLElement, write: () => void): HTMLElement {
  write();
  const tick = () => {
    if (element.isConnected) write(); else ticking.delete(tick);
  };
  ticking.add(tick);
  return element;
}

export function ageText(data: PageData, machine: Machine): HTMLElement {
  const place = h('span', { class: 'age' });
  return onTick(place, () => {
    const found = age(machine, Date.now(), data.overdue_after_hours);
    place.className = found.overdue ? 'age overdue' : 'age';
    place.textContent = found.words;
  });
}

function overdueLine(data: PageData): HTMLElement {
  const place = h('p', { class: 'overdue', role: 'status' });
  return onTick(place, () => {
    place.textContent = overdueSentence(data.machines, Date.now(), data.overdue_after_hours);
    place.hidden = !place.textContent;
  });
}

function verdict(data: PageData): Child {
  const { status, sentence } = data.verdict;
  return h('div', { class: `verdict ${CLASSES[status]}` },
    h('p', { id: 'verdict' }, h('strong', {}, `${words.verdict(status)}. `), sentence),
    h('p', { class: 'said' }, `judged ${data.judged_at.replace('T', ' ').replace('Z', ' UTC')}`),
    overdueLine(data),
    data.problems.length > 0 && h('details', { id: 'unread' },
      h('summary', {}, `lines of the history that could not be read: ${data.problems.length}`),
      h('ul', { class: 'problems' }, data.problems.map((text) => h('li', {}, text)))));
}

const ORDER: Change['kind'][] = ['forbidden', 'sanitizer', 'regression', 'guarantee', 'target',
  'improvement'];

// Worst first; within a kind as the document has them, newest first.
export function ranked(changes: Change[]): Change[] {
  return [...changes].sort((one, other) => ORDER.indexOf(one.kind) - ORDER.indexOf(other.kind));
}

function changeItem(data: PageData, change: Change): HTMLElement {
  const machine = data.machines.find((one) => one.name === change.machine);
  const series = machine?.series.find((one) => one.name === change.series);
  const since = machine?.runs[change.since_run];
  return h('li', { class: `change ${change.kind}` },
    h('p', {},
      h('strong', { class: 'kind' }, words.changeWord(change.kind, series)), ' ',
      change.ratio !== null && [h('strong', { class: 'ratio' }, words.ratio(change.ratio)), ' ',
        h('span', {}, `${words.percent(change.ratio)} `),
        h('span', { class: 'interval' }, words.interval(change.low, change.high)), ' '],
      series ? seriesLink(change.machine, change.series) : change.series,
      ` on ${change.machine}`),
    h('p', { class: 'why' }, change.sentence, ' ',
      h('span', { class: 'certainty' }, change.certainty), '; ',
      since ? ['since ', link(words.night(since), { view: 'machines', machine: change.machine,
        run: since.run }), ', '] : null,
      h('code', {}, words.commits(change.from_commit, change.to_commit))),
    change.acknowledged !== null && h('p', { class: 'why' },
      `acknowledged: ${change.acknowledged}`),
    command(change.command));
}

const HEADER = ['machine', 'series', 'kind', 'sentence', 'ratio', 'low', 'high', 'certainty',
  'since', 'from_commit', 'to_commit', 'command', 'acknowledged'];

function changeRow(data: PageData, change: Change) {
  const machine = data.machines.find((one) => one.name === change.machine);
  return [change.machine, change.series, change.kind, change.sentence, change.ratio, change.low,
    change.high, change.certainty, machine?.runs[change.since_run]?.run ?? '', change.from_commit,
    change.to_commit, change.command, change.acknowledged];
}

function changeList(data: PageData, list: Change[]): HTMLElement {
  return h('ul', { class: 'changes' }, list.map((change) => changeItem(data, change)));
}

function changes({ data, state }: Context): Child {
  const all = data.machines.flatMap((machine) => machine.changes);
  const found = all.filter((change) => matches(`${change.series} ${change.machine}`, state.q));
  const open = ranked(found.filter((change) => change.acknowledged === null));
  const folded = ranked(found.filter((change) => change.acknowledged !== null));
  const hidden = all.length - found.length;
  return h('section', { 'aria-labelledby': 'changes' },
    h('div', { class: 'heading' }, h('h2', { id: 'changes' }, `Changes (${open.length})`),
      exports('changes', HEADER, () => all.map((change) => changeRow(data, change)))),
    hidden > 0 && h('p', { class: 'warning' },
      `The search hides ${words.plural(hidden, 'change')}; empty it to see all.`),
    open.length ? changeList(data, open.slice(0, SHOWN))
      : h('p', {}, hidden ? 'None of those left.' : 'Nothing changed.'),
    open.length > SHOWN && h('details', { id: 'more-changes' },
      h('summary', {}, `${open.length - SHOWN} more, less grave or older`),
      changeList(data, open.slice(SHOWN))),
    folded.length > 0 && h('details', { id: 'acknowledged' },
      h('summary', {}, `${words.plural(folded.length, 'acknowledged change')}`),
      changeList(data, folded)));
}

function machines({ data }: Context): Child {
  const rows = data.machines.map((machine) => {
    const run = machine.last_usable === null ? null : machine.runs[machine.last_usable];
    return h('tr', {}, h('th', { scope: 'row' },
      link(machine.name, { view: 'machines', machine: machine.name })),
    h('td', { class: 'text' }, ageText(data, machine)),
    h('td', { class: 'text' }, run ? words.nightAndCommit(run) : 'none'));
  });
  return h('section', { 'aria-labelledby': 'ages' },
    h('h2', { id: 'ages' }, 'Last usable night'),
    h('table', {}, h('thead', {}, h('tr', {}, ['machine', 'age', 'night, commit'].map((title) =>
      h('th', { scope: 'col', class: 'text' }, title)))), h('tbody', {}, rows)));
}

function stressRow(machine: Machine, night: StressNight | undefined): HTMLElement {
  const name = h('th', { scope: 'row' },
    link(machine.name, { view: 'stress', machine: machine.name }));
  if (!night) {
    return h('tr', {}, name, h('td', { class: 'hole text', colspan: 4 }, 'no stress night stored'));
  }
  const bad = night.verdict !== 'passed';
  return h('tr', {}, name,
    h('td', { class: bad ? 'text bad' : 'text' }, night.verdict),
    h('td', {}, words.total(night.threads)), h('td', {}, words.total(night.finalizers)),
    h('td', { class: night.sanitizer_reports ? 'bad' : '' }, words.count(night.sanitizer_reports)));
}

function stress({ data }: Context): Child {
  const nights = data.machines.map((machine) =>
    ({ machine, night: upTo(machine.stress_nights, machine.runs.length - 1) }));
  const fresh = nights.flatMap(({ machine, night }) =>
    (night?.new ?? []).map((text) => `${machine.name}: ${text}`));
  return h('section', { 'aria-labelledby': 'stress' },
    h('h2', { id: 'stress' }, 'Stress and sanitizers, last night'),
    h('table', {}, h('thead', {}, h('tr', {},
      ['machine', 'verdict', 'threads', 'finalizers', 'reports'].map((title, at) =>
        h('th', { scope: 'col', class: at < 2 ? 'text' : null }, title)))),
    h('tbody', {}, nights.map(({ machine, night }) => stressRow(machine, night)))),
    fresh.length
      ? h('ul', { class: 'fresh' }, fresh.map((text) => h('li', {}, h('strong', {}, 'new '), text)))
      : h('p', { class: 'said' }, 'Nothing new in outcomes or reports.'));
}

export const today: View = {
  id: 'today', title: 'Today', scope: 'page', filtered: false,
  draw(context) {
    const right = h('div', {});
    fill(right, machines(context), stress(context));
    return [verdict(context.data), h('div', { class: 'first' },
      h('div', {}, changes(context)), right)];
  },
};
