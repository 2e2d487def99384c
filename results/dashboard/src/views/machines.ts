// SPDX-License-Identifier: MIT
// Where figures come from: environment, controls, segments, and every run with its problems.
import type { Run } from '../data';
import { chosenRun, segments } from '../logic/nights';
import { matches } from '../logic/select';
import * as words from '../logic/words';
import { axis, chart } from '../ui/chart';
import { h, type Child } from '../ui/dom';
import { table, type Column } from '../ui/table';
import { colour } from '../ui/theme';
import { nightSelect } from './night_select';
import { ageText } from './today';
import { link, type Context, type View } from './view';

function ages({ data, machine }: Context): Child {
  return table({ caption: 'all machines', empty: '' }, [
    { title: 'machine', text: true, value: (one) => one.name,
      show: (one) => (one === machine ? one.name
        : link(one.name, { view: 'machines', machine: one.name })) },
    { title: 'last usable night', text: true, value: (one) => (one.last_usable === null ? ''
      : one.runs[one.last_usable].run) },
    { title: 'its age', text: true, value: (one) => (one.last_usable === null ? ''
      : one.runs[one.last_usable].finished), show: (one) => ageText(data, one) },
    { title: 'nights', value: (one) => one.runs.length },
    { title: 'usable', value: (one) => one.runs.filter((run) => run.usable).length },
    { title: 'series', value: (one) => one.series.length },
  ], data.machines);
}

function controls({ machine }: Context): Child {
  const names = ['self', 'clone'] as const;
  const last = machine.runs.findLast((run) => run.usable)?.controls;
  return chart({
    title: `controls of ${machine.name}`, height: 240,
    summary: `Ratio of identical code to itself (self) and to its clone, each night; last usable: `
      + `self ${words.ratio(last?.self ?? null) || 'a hole'}, clone `
      + `${words.ratio(last?.clone ?? null) || 'a hole'}, band `
      + `${last?.band == null ? 'not known' : `±${(last.band * 100).toFixed(1)} %`}.`,
    header: ['run', 'usable', 'self', 'clone', 'band'],
    rows: () => machine.runs.map((run) => [run.run, run.usable, run.controls.self,
      run.controls.clone, run.controls.band]),
    option: () => ({
      grid: { left: 56, right: 20, top: 34, bottom: 28 },
      legend: { top: 0, textStyle: { color: colour('ink') } },
      xAxis: axis({ type: 'time' }), yAxis: axis({ type: 'value', scale: true }),
      tooltip: { trigger: 'axis' },
      series: names.map((name, at) => ({
        type: 'line', name, symbolSize: 3, itemStyle: { color: colour(`s${at}`) },
        lineStyle: { width: 1.2, type: at ? 'dashed' : 'solid' },
        data: machine.runs.map((run) => [Date.parse(run.started), run.controls[name]]),
        markLine: at ? undefined : { silent: true, symbol: 'none', label: { show: false },
          data: [{ yAxis: 1 }], lineStyle: { color: colour('quiet'), type: 'dotted' } },
      })),
    }),
  });
}

function environment({ machine }: Context, run: Run): Child {
  return table({ caption: `environment of ${run.run}, hash ${run.environment_hash}`,
    empty: `The run ${run.run} of ${machine.name} stored no environment.` }, [
    { title: 'item', text: true, value: ([name]: [string, string]) => name },
    { title: 'value', text: true, value: ([, value]: [string, string]) => value },
  ], Object.entries(run.environment));
}

function segmentTable({ machine }: Context): Child {
  return table({ caption: 'segments: figures compare only within one', empty: 'No night yet.' }, [
    { title: 'hash', text: true, value: (segment) => segment.hash,
      show: (segment) => h('code', {}, segment.hash) },
    { title: 'from', text: true, value: (segment) => words.night(machine.runs[segment.first]) },
    { title: 'to', text: true, value: (segment) => words.night(machine.runs[segment.last]) },
    { title: 'nights', value: (segment) => segment.last - segment.first + 1 },
    { title: 'what became new', text: true, value: (segment) => segment.changed.join('; ') },
  ], segments(machine).reverse());
}

const RUNS: Column<Run>[] = [
  { title: 'run', text: true, value: (run) => run.run },
  { title: 'started', text: true, value: (run) => run.started },
  { title: 'status', value: (run) => run.status },
  { title: 'usable', text: true, value: (run) => run.usable,
    show: (run) => (run.usable ? 'yes' : h('strong', {}, 'no')) },
  { title: 'problems', text: true, value: (run) => [run.quick ? 'a quick run: smallest sizes' : '',
    ...run.problems].filter(Boolean).join('; ') },
];

export const machines: View = {
  id: 'machines', title: 'Machines', scope: 'machines', filtered: false,
  draw(context) {
    const { machine, state } = context;
    if (!machine.runs.length) {
      return [ages(context), h('p', { class: 'hole' }, `${machine.name} has stored no night yet.`)];
    }
    const run = machine.runs[chosenRun(machine, state.run)];
    return [
      ages(context), h('h2', {}, machine.name), controls(context),
      segmentTable(context), nightSelect(context, chosenRun(machine, state.run)),
      run.problems.length > 0 && h('ul', { class: 'problems' },
        run.problems.map((text) => h('li', {}, text))),
      environment(context, run),
      table({ caption: `runs of ${machine.name}, newest first`, empty: 'No run passes the search.',
        most: 30 },
        RUNS, machine.runs.filter((one) => matches(`${one.run} ${one.problems.join(' ')}`, state.q))
        .reverse()),
    ];
  },
};
