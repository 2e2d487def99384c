// SPDX-License-Identifier: MIT
// How a figure grows with one parameter: n, churn, threads.
import type { Series } from '../data';
import { chosenRun } from '../logic/nights';
import { sweeps as sweepsOf, type Sweep } from '../logic/select';
import * as words from '../logic/words';
import { axis, chart } from '../ui/chart';
import { h, type Child } from '../ui/dom';
import { colour, subjectColour, subjectMark } from '../ui/theme';
import { nightSelect } from './night_select';
import type { Context, View } from './view';

function valueAt(series: Series, run: number): number | null {
  const at = series.run.indexOf(run);
  return at < 0 ? null : series.value[at];
}

function picture(context: Context, sweep: Sweep, run: number): Child {
  const sizes = sweep.lines.flatMap((line) => line.points)
    .map((series) => series.parameters[sweep.parameter]);
  // Sizes grow by factors; a zero has no place on a logarithmic axis.
  const kind = Math.min(...sizes) > 0 ? 'log' : 'value';
  const unit = sweep.lines[0].points[0];
  const ends = sweep.lines.map((line) => {
    const [first, last] = [line.points[0], line.points[line.points.length - 1]];
    const say = (series: Series) => words.figure(series.kind, valueAt(series, run)) || 'a hole';
    return `${line.subject} from ${say(first)} at ${first.parameters[sweep.parameter]} to `
      + `${say(last)} at ${last.parameters[sweep.parameter]}`;
  });
  return chart({
    title: sweep.title, height: 280, summary: `${ends.join('; ')}.`,
    header: ['subject', sweep.parameter, 'value'],
    rows: () => sweep.lines.flatMap((line) => line.points.map((series) =>
      [line.subject, series.parameters[sweep.parameter], valueAt(series, run)])),
    option: () => ({
      grid: { left: 62, right: 24, top: 62, bottom: 40 },
      legend: { top: 0, type: 'plain', textStyle: { color: colour('ink') } },
      xAxis: axis({ type: kind, name: sweep.parameter, nameLocation: 'middle', nameGap: 24,
        logBase: 2, nameTextStyle: { color: colour('quiet'), align: 'center' } }),
      yAxis: axis({ type: 'value', scale: true, name: words.axis(unit) }),
      tooltip: { trigger: 'item', formatter: (item: { seriesName: string; value: number[] }) =>
        `${item.seriesName}\n${sweep.parameter} ${item.value[0]}: `
          + words.figure(unit.kind, item.value[1]) },
      series: sweep.lines.map((line) => ({
        type: 'line', name: line.subject, symbolSize: 7,
        symbol: subjectMark(context.subjects, line.subject),
        itemStyle: { color: subjectColour(context.subjects, line.subject) },
        data: line.points.map((series) =>
          [series.parameters[sweep.parameter], valueAt(series, run)]),
      })),
    }),
  });
}

export const sweeps: View = {
  id: 'sweeps', title: 'Sweeps', scope: 'machine', filtered: true,
  draw(context) {
    const run = chosenRun(context.machine, context.state.run);
    const found = sweepsOf(context.series);
    return [
      nightSelect(context, run),
      found.length ? h('div', { class: 'two' },
        found.map((sweep) => h('div', {}, picture(context, sweep, run))))
        : h('p', { class: 'hole' },
          'No two series left by the filter differ in one parameter only.'),
    ];
  },
};
