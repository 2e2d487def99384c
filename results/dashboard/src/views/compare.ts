// SPDX-License-Identifier: MIT
// Any two nights of a machine, chosen by two clicks.
import { atLeast, compareRuns, noise, type Compared } from '../logic/compare';
import { runIndex } from '../logic/nights';
import { pick } from '../logic/state';
import * as words from '../logic/words';
import { calendar, type Marked } from '../ui/calendar';
import { axis, chart } from '../ui/chart';
import { button, command, h, select, type Child } from '../ui/dom';
import { table, type Column } from '../ui/table';
import { colour, subjectColour } from '../ui/theme';
import { NOTHING_LEFT, seriesLink, type Context, type View } from './view';

const LEAST: [string, string][] = [['', 'any size'], ['1', 'at least 1 %'], ['2', 'at least 2 %'],
  ['3', 'at least 3 %'], ['5', 'at least 5 %'], ['10', 'at least 10 %']];
const IN_PICTURE = 25;

function judgement(row: Compared): string {
  if (!row.pair) return '';
  const sure = row.pair.confirmed === null ? '' : row.pair.confirmed ? ', confirmed'
    : ', not confirmed';
  const other = row.samePair ? '' : ` (against ${words.short(row.pair.a_commit)})`;
  return `${row.pair.verdict}${sure}: ${words.ratio(row.pair.ratio)} `
    + `${words.interval(row.pair.low, row.pair.high)}${other}`;
}

function withNs(row: Compared, value: number | null, ns: number | null): Child {
  if (value === null) return h('span', { class: 'hole' }, 'hole');
  return [words.figure(row.series.kind, value), ns !== null
    && h('small', {}, ` ${words.ns(ns)}`)];
}

function columns(context: Context): Column<Compared>[] {
  return [
    { title: 'series', value: (row) => row.series.name, text: true,
      show: (row) => seriesLink(context.machine.name, row.series.name) },
    { title: 'A', value: (row) => row.a, show: (row) => withNs(row, row.a, row.a_ns) },
    { title: 'B', value: (row) => row.b, show: (row) => withNs(row, row.b, row.b_ns) },
    { title: 'B / A', value: (row) => row.ratio, show: (row) => words.ratio(row.ratio) },
    { title: 'change', value: (row) => (row.ratio === null ? row.why : words.percent(row.ratio)),
      mark: (row) => (row.ratio === null ? 'hole' : '') },
    { title: 'what the paired gate of night B said', text: true, value: judgement,
      show: (row) => row.pair && h('details', {}, h('summary', {}, judgement(row)),
        command(row.pair.command)) },
  ];
}

function picture(context: Context, rows: Compared[], names: string): Child {
  const shown = rows.filter((row) => row.ratio !== null && row.ratio > 0).slice(0, IN_PICTURE)
    .reverse();
  if (!shown.length) return null;
  const top = shown[shown.length - 1];
  return chart({
    title: `ratios of ${names}`, height: 70 + shown.length * 17,
    summary: `The ${shown.length} largest changes of ${names}; the largest is ${top.series.name}, `
      + `${words.percent(top.ratio)}. Right of 1 is more in B.`,
    header: ['series', 'B / A'], rows: () => rows.map((row) => [row.series.name, row.ratio]),
    option: () => ({
      grid: { left: 290, right: 30, top: 10, bottom: 36 },
      xAxis: axis({ type: 'value', scale: true }),
      yAxis: axis({ type: 'category', data: shown.map((row) => row.series.name),
        axisLabel: { color: colour('ink'), fontSize: 11, interval: 0 } }),
      tooltip: { trigger: 'item', formatter: (item: { dataIndex: number }) => {
        const row = shown[item.dataIndex];
        return `${row.series.name}\n${words.ratio(row.ratio)} ${judgement(row)}`;
      } },
      series: [{ type: 'scatter', symbolSize: 9, data: shown.map((row, at) => ({
        value: [row.ratio, at],
        itemStyle: { color: subjectColour(context.subjects, row.series.subject) },
      })), markLine: { silent: true, symbol: 'none', label: { show: false },
        lineStyle: { color: colour('quiet'), type: 'dashed' }, data: [{ xAxis: 1 }] } }],
    }),
  });
}

function compared(context: Context, a: number, b: number): Child {
  const { machine, state } = context;
  if (!context.series.length) return h('p', { class: 'hole' }, NOTHING_LEFT);
  const [before, after] = [machine.runs[a], machine.runs[b]];
  const least = Number(state.least) || 0;
  const all = compareRuns(machine, context.series, a, b);
  const rows = atLeast(all, least);
  const band = noise(machine, a, b);
  const hidden = all.length - rows.length;
  const hollow = [before, after].filter((run) => !run.usable).map((run) => words.night(run));
  const other = before.environment_hash !== after.environment_hash;
  const names = `${before.run} and ${after.run}`;
  return [
    h('p', {}, 'A is ', h('strong', {}, words.nightAndCommit(before)), ', B is ',
      h('strong', {}, words.nightAndCommit(after)), '. ',
      band !== null && `Identical code differed by up to ±${(band * 100).toFixed(1)} % in them: `
        + 'what is smaller says nothing.'),
    hollow.length > 0 && h('p', { class: 'warning' }, `Not usable: ${hollow.join(', ')}.`),
    other && h('p', { class: 'warning' }, 'The environment is another one in B than in A: a '
      + 'difference need not come from the code.'),
    h('div', { class: 'controls' },
      select('least', 'changes of', LEAST, state.least, (value) => context.go({ least: value })),
      button('swap A and B', () => context.go({ a: state.b, b: state.a }), { id: 'swap' }),
      hidden > 0 && h('span', { class: 'said' }, `${hidden} smaller ones hidden`)),
    table({ caption: `${machine.name}: ${names}`, empty: 'No change of that size.', most: 25 },
      columns(context), rows),
    picture(context, rows, names),
  ];
}

export const compare: View = {
  id: 'compare', title: 'Compare', scope: 'machine', filtered: true,
  draw(context) {
    const { machine, state } = context;
    const [a, b] = [state.a, state.b].map((name) => (name ? runIndex(machine, name) : -1));
    const unknown = [[state.a, a], [state.b, b]].filter(([name, at]) => name && at === -1);
    const marked: Marked[] = [];
    if (a >= 0) marked.push({ run: state.a, mark: 'A', word: 'chosen as A' });
    if (b >= 0) marked.push({ run: state.b, mark: 'B', word: 'chosen as B' });
    const step = a < 0 ? 'Click a night to take it as A, then another as B.'
      : b < 0 ? 'Now click the night to compare it with.' : 'A third click begins again.';
    return [
      h('p', { id: 'step', role: 'status' }, step),
      unknown.map(([name]) => h('p', { class: 'warning' },
        `${machine.name} has no run ${name}; choose another night.`)),
      calendar(machine, `nights of ${machine.name}`, marked, (run) => context.go(
        pick({ ...state, a: a < 0 ? '' : state.a, b: b < 0 ? '' : state.b }, run))),
      a >= 0 && b >= 0 && compared(context, a, b),
    ];
  },
};
