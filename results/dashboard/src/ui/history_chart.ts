// SPDX-License-Identifier: MIT
// What the history charts draw, and the same in words and in rows.
import type { Machine, Series } from '../data';
import type { Cell } from '../logic/csv';
import { reason, runIndex, segments } from '../logic/nights';
import * as words from '../logic/words';
import type { Context } from '../views/view';
import { axis, type EChartsCoreOption } from './chart';
import { colour, subjectColour, subjectMark } from './theme';

type Point = [time: number, value: number | null];

export const HISTORY_HEADER = ['run', 'commit', 'started', 'usable', 'value', 'low', 'high', 'ns',
  'hole'];

export function times(machine: Machine, series: Series): number[] {
  return series.run.map((run) => Date.parse(machine.runs[run].started));
}

export function historyRows(machine: Machine, series: Series): Cell[][] {
  return series.run.map((index, at) => {
    const run = machine.runs[index];
    const hole = series.value[at] === null ? reason(series, at) : '';
    return [run.run, run.commit, run.started, run.usable, series.value[at], series.low[at],
      series.high[at], series.ns[at], hole];
  });
}

function counted(machine: Machine, series: Series) {
  const holes = series.value.filter((value) => value === null).length;
  const hollow = series.run.filter((run, at) => !machine.runs[run].usable
    && series.value[at] !== null).length;
  return { holes, hollow };
}

export function summary(machine: Machine, series: Series): string {
  const { holes, hollow } = counted(machine, series);
  const last = series.value.findLastIndex((value, at) => value !== null
    && machine.runs[series.run[at]].usable);
  const now = last < 0 ? 'no usable figure yet'
    : `last usable ${words.figure(series.kind, series.value[last])} `
      + words.interval(series.low[last], series.high[last]);
  const points = series.change_points.map(({ at, before, after }) =>
    `${words.percent(after / before)} at ${words.night(machine.runs[series.run[at]])}`);
  return `${series.name} on ${machine.name}, ${words.plural(series.run.length, 'night')}: ${now}; `
    + `${points.length ? `change points: ${points.join(', ')}` : 'no change point'}; `
    + `${words.plural(segments(machine).length - 1, 'environment change')}, `
    + `${words.plural(hollow, 'unusable night')}, ${words.plural(holes, 'hole')}.`;
}

export function panelSummary(machine: Machine, list: Series[]): string {
  return `${list.map((series) => {
    const last = series.value.findLastIndex((value, at) => value !== null
      && machine.runs[series.run[at]].usable);
    return `${series.subject} ${last < 0 ? 'no figure' : words.figure(series.kind,
      series.value[last])}`;
  }).join(', ')}.`;
}

// Unusable nights are left out of the line, which goes on behind them; a hole breaks it.
function line(machine: Machine, series: Series, column: (number | null)[]): Point[] {
  const when = times(machine, series);
  return when.map((time, at): Point => [time, column[at]])
    .filter((point, at) => machine.runs[series.run[at]].usable || point[1] === null);
}

// A figure between two holes has no line to be seen by, so it gets a dot.
function lonely(points: Point[]): Point[] {
  const hole = (point: Point | undefined) => (point?.[1] ?? null) === null;
  return points.filter((point, at) => !hole(point) && hole(points[at - 1]) && hole(points[at + 1]));
}

function lineOf(context: Context, series: Series, chosen: boolean): EChartsCoreOption[] {
  const points = line(context.machine, series, series.value);
  const ink = subjectColour(context.subjects, series.subject);
  const dots = lonely(points);
  const common = { name: series.subject, itemStyle: { color: ink }, z: chosen ? 5 : 2,
    symbol: subjectMark(context.subjects, series.subject) };
  return [{ ...common, type: 'line', data: points, showSymbol: false,
    lineStyle: { color: ink, width: chosen ? 2.2 : 1, opacity: chosen ? 1 : 0.65 } },
  ...(dots.length ? [{ ...common, type: 'scatter', data: dots, symbolSize: 5 }] : [])];
}

function band(context: Context, series: Series): EChartsCoreOption[] {
  const ink = subjectColour(context.subjects, series.subject);
  const low = line(context.machine, series, series.low);
  const high = line(context.machine, series, series.high);
  const height = low.map(([time, bottom], at): Point =>
    [time, bottom === null || high[at][1] === null ? null : (high[at][1] as number) - bottom]);
  const part = { type: 'line', stack: 'band', stackStrategy: 'all', symbol: 'none', silent: true,
    lineStyle: { opacity: 0 }, tooltip: { show: false } };
  return [{ ...part, name: 'interval low', data: low },
    { ...part, name: 'interval', data: height, areaStyle: { color: ink, opacity: 0.22 } }];
}

function hollow(context: Context, series: Series): EChartsCoreOption {
  const { machine } = context;
  const when = times(machine, series);
  const data = when.map((time, at): Point => [time, series.value[at]])
    .filter((point, at) => !machine.runs[series.run[at]].usable && point[1] !== null);
  return { type: 'scatter', name: 'not usable', data, symbol: 'circle', symbolSize: 7, z: 6,
    itemStyle: { color: 'transparent', borderColor: colour('quiet'), borderWidth: 1.5 } };
}

function changePoints(machine: Machine, series: Series): EChartsCoreOption {
  const when = times(machine, series);
  const data = series.change_points.map((point) => ({
    value: [when[point.at], series.value[point.at] ?? point.after],
    label: { formatter: words.percent(point.after / point.before) },
  }));
  return { type: 'scatter', name: 'change point', data, symbol: 'diamond', symbolSize: 12, z: 8,
    itemStyle: { color: colour('bad'), borderColor: colour('paper'), borderWidth: 1 },
    label: { show: true, position: 'top', color: colour('ink'), fontWeight: 'bold' } };
}

// Lines across the chart: where the environment changed, the chosen night, and 1, the floor itself.
function marks(context: Context, series: Series, position: number): EChartsCoreOption {
  const { machine } = context;
  const environment = segments(machine).slice(1).map((segment) => ({
    xAxis: Date.parse(machine.runs[segment.first].started),
    lineStyle: { color: colour('quiet'), type: 'dashed' },
    label: { formatter: 'environment', color: colour('quiet'), fontSize: 11, distance: 2 },
  }));
  const chosen = { xAxis: times(machine, series)[position],
    lineStyle: { color: colour('accent'), type: 'solid', width: 1 }, label: { show: false } };
  const floor = series.kind === 'ratio' ? [{ yAxis: 1, label: { show: false },
    lineStyle: { color: colour('quiet'), type: 'dotted' } }] : [];
  return { type: 'line', name: 'marks', data: [], silent: true,
    markLine: { silent: true, symbol: 'none', data: [...environment, ...floor, chosen] } };
}

function tooltip(machine: Machine, series: Series) {
  const positions = new Map(times(machine, series).map((time, at) => [time, at]));
  return (list: { axisValue: number }[]) => {
    const at = positions.get(list[0]?.axisValue);
    if (at === undefined) return '';
    const run = machine.runs[series.run[at]];
    const value = series.value[at];
    return [words.nightAndCommit(run), value === null ? `hole: ${reason(series, at)}`
      : `${series.subject} ${words.figure(series.kind, value)} `
        + words.interval(series.low[at], series.high[at]),
    words.ns(series.ns[at]), run.usable ? '' : 'not usable'].filter(Boolean).join('\n');
  };
}

function zoom(context: Context): EChartsCoreOption[] {
  const { machine, state } = context;
  const time = (name: string) => {
    const at = runIndex(machine, name);
    return at < 0 ? undefined : Date.parse(machine.runs[at].started);
  };
  const range = { startValue: time(state.from), endValue: time(state.to), filterMode: 'none' };
  return [{ type: 'inside', ...range }, { type: 'slider', height: 22, bottom: 8, ...range,
    textStyle: { color: colour('quiet') }, borderColor: colour('line'),
    fillerColor: colour('filler'), brushSelect: false,
    dataBackground: { lineStyle: { color: colour('quiet') }, areaStyle: { opacity: 0.15 } } }];
}

export function historyOption(
  context: Context, series: Series, peers: Series[], position: number,
): EChartsCoreOption {
  const { machine } = context;
  const others = peers.filter((one) => one !== series);
  return {
    grid: { left: 62, right: 24, top: 46, bottom: 62 },
    legend: { top: 0, textStyle: { color: colour('ink') },
      data: [...peers.map((one) => one.subject), 'not usable', 'change point'] },
    xAxis: axis({ type: 'time' }),
    yAxis: axis({ type: 'value', scale: true, name: words.axis(series) }),
    tooltip: { trigger: 'axis', formatter: tooltip(machine, series) },
    dataZoom: zoom(context),
    brush: { toolbox: [], xAxisIndex: 0, brushLink: 'none', throttleType: 'debounce',
      brushStyle: { color: colour('filler'), borderColor: colour('accent'), borderWidth: 1 } },
    series: [...lineOf(context, series, true), ...band(context, series),
      ...others.flatMap((one) => lineOf(context, one, false)), hollow(context, series),
      changePoints(machine, series), marks(context, series, position)],
  };
}

export function panelOption(context: Context, list: Series[]): EChartsCoreOption {
  return {
    grid: { left: 46, right: 8, top: 10, bottom: 22 },
    xAxis: axis({ type: 'time', splitNumber: 3 }),
    yAxis: axis({ type: 'value', scale: true, splitNumber: 3 }),
    series: list.flatMap((one) => [...lineOf(context, one, false),
      hollow(context, one)]),
  };
}
