// SPDX-License-Identifier: MIT
// One series over the nights with all that is known of each, and all quantities as small panels.
import type { Series } from '../data';
import { panelName, panels } from '../logic/select';
import { digits } from '../logic/words';
import { chart, type EChartsType } from '../ui/chart';
import { button, h, type Child } from '../ui/dom';
import { historyOption, historyRows, HISTORY_HEADER, panelOption, panelSummary, summary,
  times } from '../ui/history_chart';
import { median } from '../logic/statistics';
import { nightPanel } from './night_panel';
import { chosenSeries, NOTHING_LEFT, seriesSelect, type Context, type View } from './view';

function nearest(list: number[], time: number): number {
  let best = 0;
  list.forEach((one, at) => {
    if (Math.abs(one - time) < Math.abs(list[best] - time)) best = at;
  });
  return best;
}

// The range that is zoomed to, as runs, so that a link to it survives new nights.
function followZoom(context: Context, series: Series, drawn: EChartsType): void {
  const when = times(context.machine, series);
  const runs = context.machine.runs;
  drawn.on('datazoom', () => {
    const zoom = (drawn.getOption().dataZoom as { startValue: number; endValue: number }[])[0];
    const from = runs[series.run[nearest(when, zoom.startValue)]].run;
    const to = runs[series.run[nearest(when, zoom.endValue)]].run;
    context.keep({ from, to });
  });
}

function followBrush(context: Context, series: Series, drawn: EChartsType,
                     said: HTMLElement): void {
  const when = times(context.machine, series);
  drawn.on('brushEnd', (event: unknown) => {
    const areas = (event as { areas: { coordRange: [number, number] }[] }).areas;
    if (!areas.length) return;
    const [low, high] = areas[0].coordRange;
    const inside = when.map((time, at) => ({ time, value: series.value[at] }))
      .filter(({ time, value }) => time >= low && time <= high && value !== null);
    if (!inside.length) {
      said.textContent = 'No figure lies in the brushed nights.';
      return;
    }
    const values = inside.map(({ value }) => value as number);
    said.textContent = `Brushed: ${values.length} nights, median ${digits(median(values))}, `
      + `lowest ${digits(Math.min(...values))}, highest ${digits(Math.max(...values))}.`;
    const zoom = button('zoom to them', () => drawn.dispatchAction(
      { type: 'dataZoom', startValue: low, endValue: high }));
    said.append(' ', zoom);
  });
}

function followClick(context: Context, series: Series, drawn: EChartsType): void {
  const when = times(context.machine, series);
  drawn.getZr().on('click', (event: { offsetX: number; offsetY: number }) => {
    const place = [event.offsetX, event.offsetY];
    if (!drawn.containPixel({ gridIndex: 0 }, place)) return;
    const [time] = drawn.convertFromPixel({ gridIndex: 0 }, place) as number[];
    const at = nearest(when, time);
    context.go({ run: context.machine.runs[series.run[at]].run, series: series.name });
  });
}

function detail(context: Context, series: Series, position: number): Child {
  const said = h('p', { id: 'brushed', role: 'status' },
    'Wheel or slider zooms; a click chooses a night.');
  let drawn: EChartsType | null = null;
  const others = context.series.filter((one) => one !== series
    && panelName(one) === panelName(series));
  const peers = context.state.peers ? [series, ...others] : [series];
  const brush = button('brush nights', () => drawn?.dispatchAction({ type: 'takeGlobalCursor',
    key: 'brush', brushOption: { brushType: 'lineX', brushMode: 'single' } }));
  const whole = button('whole history', () => context.go({ from: '', to: '' }));
  return [
    chart({
      title: `history of ${series.name}`, height: 330, summary: summary(context.machine, series),
      option: () => historyOption(context, series, peers, position),
      header: HISTORY_HEADER, rows: () => historyRows(context.machine, series),
      ready: (made) => {
        drawn = made;
        followZoom(context, series, made);
        followBrush(context, series, made, said);
        followClick(context, series, made);
      },
    }),
    h('div', { class: 'controls' }, brush, whole,
      // Alone by default: beside a subject of twice the cost, an interval is a hair's breadth.
      others.length > 0 && button('other subjects', () =>
        context.go({ peers: context.state.peers ? '' : 'yes' }),
      { id: 'peers', 'aria-pressed': context.state.peers ? 'true' : 'false' }), said),
  ];
}

function smallPanels(context: Context): Child {
  return h('section', { 'aria-labelledby': 'panels' },
    h('h2', { id: 'panels' }, 'All quantities'),
    h('p', { class: 'said' }, 'A panel for each quantity, a line for each subject; its name opens '
      + 'it above. What the search and the filters leave is shown.'),
    h('div', { class: 'panels' }, [...panels(context.series)].map(([name, list]) =>
      h('div', { class: 'panel' },
        h('h3', {}, button(name, () => {
          context.go({ series: list[0].name, run: '' });
          scrollTo({ top: 0 });
        }, { class: 'as-link', 'aria-label': `open ${name}` })),
        chart({
          title: name, caption: false, height: 150, summary: panelSummary(context.machine, list),
          option: () => panelOption(context, list), header: ['subject', ...HISTORY_HEADER],
          rows: () => list.flatMap((one) => historyRows(context.machine, one)
            .map((row) => [one.subject, ...row])),
        })))));
}

function lastPosition(context: Context, series: Series): number {
  const wanted = context.machine.runs.findIndex((run) => run.run === context.state.run);
  const chosen = series.run.indexOf(wanted);
  if (chosen >= 0) return chosen;
  const usable = series.run.map((run) => context.machine.runs[run].usable);
  return Math.max(usable.lastIndexOf(true), 0);
}

export const history: View = {
  id: 'history', title: 'History', scope: 'machine', filtered: true,
  draw(context) {
    const { series, note } = chosenSeries(context, context.series);
    if (!series) return [note, h('p', { class: 'hole' }, NOTHING_LEFT)];
    if (!series.run.length) {
      return [note, seriesSelect(context, context.series, series),
        h('p', { class: 'hole' }, `No night of ${context.machine.name} measured ${series.name}.`)];
    }
    const position = lastPosition(context, series);
    return [note,
      h('div', { class: 'controls' }, seriesSelect(context, context.series, series)),
      h('div', { class: 'wide' }, h('div', {}, detail(context, series, position)),
        nightPanel(context, series, position)),
      smallPanels(context)];
  },
};
