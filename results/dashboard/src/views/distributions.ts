// SPDX-License-Identifier: MIT
// Every repetition, because these costs have two modes and a median hides that.
import type { Machine, Series } from '../data';
import { box, ecdf, jitter, median, storedBox } from '../logic/statistics';
import * as words from '../logic/words';
import { axis, chart } from '../ui/chart';
import { button, h, type Child } from '../ui/dom';
import { colour, subjectColour } from '../ui/theme';
import { latencyPicture } from './latency';
import { chosenSeries, NOTHING_LEFT, seriesSelect, type Context, type View } from './view';

const NIGHTS = 30;

// Positions with something to draw, up to the chosen night: its samples, or at least quantiles.
function drawable(series: Series, chosen: number): number[] {
  return series.run.map((_, at) => at)
    .filter((at) => at <= chosen && (series.samples[String(at)] ?? series.quantiles[String(at)]))
    .slice(-NIGHTS);
}

// Of an older night only the quantiles are stored, so it has a box but no dots.
function boxOf(series: Series, at: number) {
  const samples = series.samples[String(at)];
  return samples ? box(samples) : storedBox(series.quantiles[String(at)]);
}

// A dot for each repetition: [column, value].
function dots(series: Series, positions: number[]): number[][] {
  return positions.flatMap((at, column) => (series.samples[String(at)] ?? [])
    .map((value, index) => [column + jitter(index) * 0.5, value]));
}

function boxTip(night: string, values: number[]): string {
  const [p5, p25, middle, p75, p95] = values.map(words.digits);
  return `${night}\np5 ${p5}, p25 ${p25}, median ${middle}, p75 ${p75}, p95 ${p95}`;
}

function boxesSummary(series: Series, positions: number[]): string {
  const whole = positions.filter((at) => series.samples[String(at)]).length;
  return `${words.plural(positions.length, 'night')}: box from p25 to p75 with the median, `
    + `ends at p5 and p95; every repetition as a dot in ${words.plural(whole, 'night')}, of `
    + 'older ones only quantiles are kept.';
}

function boxes(context: Context, series: Series, positions: number[]): Child {
  const { machine } = context;
  const label = (at: number) => words.night(machine.runs[series.run[at]]).slice(5);
  const dotsDrawn = dots(series, positions);
  const ink = subjectColour(context.subjects, series.subject);
  return chart({
    title: `repetitions of ${series.name}`, height: 300,
    summary: boxesSummary(series, positions),
    header: ['run', 'repetition', 'value'],
    rows: () => positions.flatMap((at) => (series.samples[String(at)] ?? [])
      .map((value, index) => [machine.runs[series.run[at]].run, index + 1, value])),
    option: () => ({
      grid: { left: 62, right: 16, top: 26, bottom: 28 },
      xAxis: [axis({ type: 'category', data: positions.map(label) }),
        { type: 'value', min: -0.5, max: positions.length - 0.5, show: false }],
      yAxis: axis({ type: 'value', scale: true, name: words.axis(series) }),
      tooltip: { trigger: 'item',
        formatter: (item: { seriesType: string; dataIndex: number }) => (
          item.seriesType === 'boxplot'
            ? boxTip(label(positions[item.dataIndex]), boxOf(series, positions[item.dataIndex]))
            : words.digits(dotsDrawn[item.dataIndex][1])) },
      series: [
        { type: 'boxplot', data: positions.map((at) => boxOf(series, at)),
          itemStyle: { color: 'transparent', borderColor: colour('ink'), borderWidth: 1.2 } },
        { type: 'scatter', data: dotsDrawn, xAxisIndex: 1, symbolSize: 4, itemStyle: { color: ink,
          opacity: 0.6 } }],
    }),
  });
}

function cumulative(context: Context, series: Series, positions: number[]): Child {
  const { machine } = context;
  const sampled = positions.filter((at) => series.samples[String(at)]).slice(-2).reverse();
  if (!sampled.length) return null;
  const [now, before] = sampled;
  const name = (at: number) => words.nightAndCommit(machine.runs[series.run[at]]);
  const inks = [subjectColour(context.subjects, series.subject), colour('quiet')];
  const medians = sampled.map((at) => `${name(at)}: median `
    + `${words.figure(series.kind, median(series.samples[String(at)]))} of `
    + `${series.samples[String(at)].length}`);
  return chart({
    title: `ECDF of ${series.name}`, height: 260,
    summary: `Share of repetitions at or below a figure. ${medians.join('; ')}.`,
    header: ['run', 'value', 'share'],
    rows: () => sampled.flatMap((at) => ecdf(series.samples[String(at)])
      .map(([value, share]) => [machine.runs[series.run[at]].run, value, share])),
    option: () => ({
      grid: { left: 50, right: 24, top: 34, bottom: 42 },
      legend: { top: 0, textStyle: { color: colour('ink') } },
      xAxis: axis({ type: 'value', scale: true, name: words.axis(series), nameLocation: 'middle',
        nameGap: 26, nameTextStyle: { color: colour('quiet'), align: 'center' } }),
      yAxis: axis({ type: 'value', min: 0, max: 1 }),
      tooltip: { trigger: 'axis' },
      series: [before, now].filter((at) => at !== undefined).map((at) => ({
        type: 'line', step: 'end', name: name(at), data: ecdf(series.samples[String(at)]),
        symbol: 'none', lineStyle: { color: inks[at === now ? 0 : 1], width: at === now ? 2 : 1.2,
          type: at === now ? 'solid' : 'dashed' },
        itemStyle: { color: inks[at === now ? 0 : 1] },
      })),
    }),
  });
}

function nightButtons(context: Context, series: Series, machine: Machine, chosen: number): Child {
  const newest = series.run.map((_, at) => at).filter((at) => series.samples[String(at)]);
  return h('div', { class: 'controls', role: 'group', 'aria-label': 'night' }, 'up to ',
    newest.map((at) => {
      const run = machine.runs[series.run[at]];
      return button(words.night(run).slice(5), () => context.go({ run: run.run }),
        { id: `upto-${at}`, 'aria-pressed': at === chosen ? 'true' : 'false', title: run.run });
    }));
}

export const distributions: View = {
  id: 'distributions', title: 'Distributions', scope: 'machine', filtered: true,
  draw(context) {
    const { machine, state } = context;
    const { series, note } = chosenSeries(context, context.series);
    if (!series) return [note, h('p', { class: 'hole' }, NOTHING_LEFT)];
    const wanted = machine.runs.findIndex((run) => run.run === state.run);
    const found = series.run.indexOf(wanted);
    const positions = drawable(series, found >= 0 ? found : series.run.length - 1);
    const head = h('div', { class: 'controls' }, seriesSelect(context, context.series, series));
    if (!positions.length) {
      return [note, head, h('p', { class: 'hole' }, `Of ${series.name} no repetition is kept: it `
        + 'has no repetitions, or no usable night measured it.')];
    }
    return [note, head, nightButtons(context, series, machine, positions[positions.length - 1]),
      boxes(context, series, positions),
      h('div', { class: 'two' }, cumulative(context, series, positions),
        latencyPicture(context, series, positions))];
  },
};
