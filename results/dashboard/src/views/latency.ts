// SPDX-License-Identifier: MIT
// The exit latency of exit rows: what the slowest threads wait for is not in any median.
import type { Latency, Series } from '../data';
import * as words from '../logic/words';
import { axis, chart } from '../ui/chart';
import { h, type Child } from '../ui/dom';
import { table } from '../ui/table';
import { colour, subjectColour } from '../ui/theme';
import type { Context } from './view';

const QUANTILES: [keyof Latency, string][] = [['p50', 'p50'], ['p90', 'p90'], ['p99', 'p99'],
  ['p999', 'p99.9'], ['max', 'max']];

export function latencyPicture(context: Context, series: Series, positions: number[]): Child {
  const { machine } = context;
  const nights = positions.filter((at) => series.latency[String(at)]);
  if (!nights.length) {
    return h('p', { class: 'hole' }, series.quantity.startsWith('exit')
      ? 'No exit latency is kept for these nights: they are older than the newest 14.'
      : 'Exit latency belongs to exit rows; this series is none.');
  }
  const last = nights[nights.length - 1];
  const values = (at: number) => QUANTILES.map(([key]) => series.latency[String(at)][key]);
  const run = (at: number) => machine.runs[series.run[at]];
  const ink = subjectColour(context.subjects, series.subject);
  return h('div', {}, chart({
    title: `exit latency of ${series.name}`, height: 260,
    summary: `Drain of one thread in ${words.night(run(last))}: ${QUANTILES.map(([key, name]) =>
      `${name} ${words.ns(series.latency[String(last)][key])}`).join(', ')}; thin lines are `
      + 'the nights before. Logarithmic.',
    header: ['run', ...QUANTILES.map(([, name]) => `${name} ns`)],
    rows: () => nights.map((at) => [run(at).run, ...values(at)]),
    option: () => ({
      grid: { left: 62, right: 24, top: 34, bottom: 42 },
      xAxis: axis({ type: 'category', data: QUANTILES.map(([, name]) => name) }),
      yAxis: axis({ type: 'log', name: 'ns', axisLabel: { color: colour('quiet'),
        formatter: words.ns } }),
      tooltip: { trigger: 'item', formatter: (item: { seriesName: string; dataIndex: number;
        value: number }) => `${item.seriesName}\n${QUANTILES[item.dataIndex][1]} `
          + words.ns(item.value) },
      series: nights.map((at) => ({
        type: 'line', name: words.nightAndCommit(run(at)), data: values(at), symbolSize: 6,
        lineStyle: { color: ink, width: at === last ? 2.4 : 1, opacity: at === last ? 1 : 0.3 },
        itemStyle: { color: ink, opacity: at === last ? 1 : 0.3 },
      })),
    }),
  }),
  h('details', {}, h('summary', {}, 'as a table'),
    table({ caption: `exit latency of ${series.name}, ns`, empty: '' },
      [{ title: 'run', text: true, value: (at: number) => run(at).run },
        ...QUANTILES.map(([key, name]) => ({ title: name,
          value: (at: number) => series.latency[String(at)][key],
          show: (at: number) => words.ns(series.latency[String(at)][key]) }))],
      [...nights].reverse())));
}
