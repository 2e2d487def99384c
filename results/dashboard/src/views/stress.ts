// SPDX-License-Identifier: MIT
// Stress nights: outcomes by cell, what memory did, and how fast the canaries were caught.
import type { Machine, Outcome, StressCell } from '../data';
import { chosenRun, upTo } from '../logic/nights';
import { matches } from '../logic/select';
import * as words from '../logic/words';
import { axis, chart, type EChartsCoreOption } from '../ui/chart';
import { h, select, type Child } from '../ui/dom';
import { table, type Column } from '../ui/table';
import { colour, subjectColour } from '../ui/theme';
import { nightSelect } from './night_select';
import type { Context, View } from './view';

interface Row { cell: StressCell; at: number }

function outcomeText(outcomes: Outcome[]): Child {
  return outcomes.map((outcome, at) => [at > 0 && ', ',
    // What was looked for and not seen is no news.
    h('span', { class: outcome.count ? `outcome ${outcome.grade}` : 'said' },
      `${outcome.name} ${words.count(outcome.count)}`,
      outcome.count > 0 && outcome.grade !== 'acceptable' && ` (${outcome.grade})`)]);
}

function outcomesFirst(row: Row): number {
  const grades = row.cell.outcomes[row.at].filter((outcome) => outcome.count)
    .map((outcome) => outcome.grade);
  return grades.includes('forbidden') ? 0 : row.cell.verdict[row.at] !== 'passed' ? 1
    : grades.includes('interesting') ? 2 : 3;
}

const COLUMNS: Column<Row>[] = [
  { title: 'cell', text: true, value: ({ cell }) => cell.cell },
  { title: 'verdict', text: true, value: ({ cell, at }) => cell.verdict[at],
    mark: ({ cell, at }) => (cell.verdict[at] === 'passed' ? '' : 'exception') },
  { title: 'rounds', value: ({ cell, at }) => cell.rounds[at],
    show: ({ cell, at }) => words.count(cell.rounds[at]) },
  { title: 'threads', value: ({ cell, at }) => cell.threads[at],
    show: ({ cell, at }) => words.count(cell.threads[at]) },
  { title: 'bytes per thread', value: ({ cell, at }) => cell.memory_slope[at],
    show: ({ cell, at }) => (cell.memory_slope[at] === null
      ? h('span', { class: 'hole' }, 'too few rounds') : words.digits(cell.memory_slope[at])) },
  { title: 'outcomes', text: true,
    value: ({ cell, at }) => cell.outcomes[at].map((outcome) =>
      `${outcome.name} ${outcome.count} ${outcome.grade}`).join('; '),
    show: ({ cell, at }) => outcomeText(cell.outcomes[at]) },
];

function cellTable({ machine, state }: Context, run: number): Child {
  const cells = machine.stress.filter((cell) => matches(cell.cell, state.q));
  const rows = cells.map((cell) => ({ cell, at: cell.run.indexOf(run) }));
  const present = rows.filter((row) => row.at >= 0)
    .sort((one, other) => outcomesFirst(one) - outcomesFirst(other));
  const absent = rows.filter((row) => row.at < 0).map((row) => row.cell.cell);
  return [
    table({ caption: `stress cells in ${machine.runs[run].run} on ${machine.name}`, most: 40,
      empty: `The night of ${words.night(machine.runs[run])} stored no stress cell.` },
    COLUMNS, present),
    present.length > 0 && absent.length > 0 && h('p', { class: 'hole' },
      `Holes, not run in this night: ${absent.join(', ')}.`),
  ];
}

function lines(
  machine: Machine, list: { name: string; ink: string; points: [number, number | null][] }[],
  unit: string, log: boolean,
): EChartsCoreOption {
  const time = (run: number) => Date.parse(machine.runs[run].started);
  return {
    grid: { left: 58, right: 20, top: 62, bottom: 28 },
    legend: { top: 0, type: 'plain', textStyle: { color: colour('ink') } },
    xAxis: axis({ type: 'time' }),
    yAxis: axis({ type: log ? 'log' : 'value', name: unit }),
    tooltip: { trigger: 'item', formatter: (item: { seriesName: string; value: number[] }) =>
      `${item.seriesName}\n${new Date(item.value[0]).toISOString().slice(0, 10)}: `
        + `${words.digits(item.value[1])} ${unit}` },
    series: list.map(({ name, ink, points }) => ({
      type: 'line', name, symbolSize: 3, lineStyle: { color: ink, width: 1.3 },
      itemStyle: { color: ink }, data: points.map(([run, value]) => [time(run), value]),
    })),
  };
}

function cellPictures(context: Context): Child {
  const { machine, state } = context;
  if (!machine.stress.length) return null;
  const cell = machine.stress.find((one) => one.cell === state.cell) ?? machine.stress[0];
  const all = cell.outcomes.flat();
  const names = [...new Set(all.map((one) => one.name))];
  // Beside a million expected outcomes, three odd ones would lie on the axis.
  const odd = names.filter((name) => all.some((one) => one.name === name
    && one.grade !== 'acceptable'));
  const drawn = odd.length ? odd : names;
  const of = (at: number, name: string) =>
    cell.outcomes[at].find((outcome) => outcome.name === name)?.count ?? 0;
  const slopes = cell.memory_slope.filter((slope): slope is number => slope !== null);
  return [
    h('div', { class: 'controls' }, select('cell', 'cell', machine.stress.map((one) =>
      [one.cell, one.cell]), cell.cell, (name) => context.go({ cell: name }))),
    h('div', { class: 'two' },
      chart({
        title: `outcomes of ${cell.cell}`, height: 250,
        summary: `${words.plural(cell.run.length, 'night')}; in all ${names.map((name) =>
          `${name} ${words.count(cell.run.reduce((sum, _, at) => sum + of(at, name), 0))}`)
          .join(', ')}. Drawn: ${drawn.join(', ')}.`,
        header: ['run', ...names],
        rows: () => cell.run.map((run, at) =>
          [machine.runs[run].run, ...names.map((name) => of(at, name))]),
        option: () => lines(machine, drawn.map((name, at) => ({ name,
          ink: colour(`s${at % 8}`), points: cell.run.map((run, position): [number, number] =>
            [run, of(position, name)]) })), 'times', false),
      }),
      chart({
        title: `memory slope of ${cell.cell}`, height: 250,
        summary: slopes.length ? `Bytes in use that a thread left behind: between `
          + `${words.digits(Math.min(...slopes))} and ${words.digits(Math.max(...slopes))}; zero `
          + 'is no leak.' : 'No night ran enough rounds for a slope.',
        header: ['run', 'bytes per thread'],
        rows: () => cell.run.map((run, at) => [machine.runs[run].run, cell.memory_slope[at]]),
        option: () => lines(machine, [{ name: cell.backend,
          ink: subjectColour(context.subjects, cell.backend), points: cell.run.map((run, at) =>
            [run, cell.memory_slope[at]]) }], 'bytes per thread', false),
      })),
  ];
}

function canaries({ machine }: Context): Child {
  const nights = machine.stress_nights;
  const names = [...new Set(nights.flatMap((night) => Object.keys(night.canaries)))].sort();
  if (!names.length) return h('p', { class: 'hole' }, 'No night stored when a canary was caught.');
  const last = nights[nights.length - 1];
  return chart({
    title: `canaries on ${machine.name}`, height: 280,
    summary: `Seconds until each broken back end was caught, logarithmic; last night ${names.map(
      (name) => `${name} ${last.canaries[name] === undefined ? 'not caught'
        : `${words.digits(last.canaries[name])} s`}`).join(', ')}.`,
    header: ['run', ...names],
    rows: () => nights.map((night) => [machine.runs[night.run].run,
      ...names.map((name) => night.canaries[name] ?? null)]),
    option: () => lines(machine, names.map((name, at) => ({ name, ink: colour(`s${at % 8}`),
      points: nights.map((night): [number, number | null] =>
        [night.run, night.canaries[name] ?? null]) })), 's', true),
  });
}

export const stress: View = {
  id: 'stress', title: 'Stress', scope: 'machine', filtered: false,
  draw(context) {
    const { machine, state } = context;
    const run = chosenRun(machine, state.run || (machine.runs.at(-1)?.run ?? ''));
    const night = upTo(machine.stress_nights, run);
    return [
      nightSelect(context, run),
      night && night.run === run && [
        h('p', {}, h('strong', {}, night.verdict), `: ${words.total(night.threads)} threads and `
          + `${words.total(night.finalizers)} finalizers; `
          + `${words.plural(night.sanitizer_reports, 'sanitizer report')}.`),
        night.new.length > 0 && h('ul', { class: 'fresh' }, night.new.map((text) =>
          h('li', {}, h('strong', {}, 'new '), text)))],
      cellTable(context, run),
      h('h2', {}, 'Over the nights'), cellPictures(context),
      h('h2', {}, 'Canaries'), canaries(context),
    ];
  },
};
