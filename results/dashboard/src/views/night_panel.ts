// SPDX-License-Identifier: MIT
// All that is known of one series in one night: what a click on the chart shows.
import type { Series } from '../data';
import { pick } from '../logic/state';
import { reason } from '../logic/nights';
import * as words from '../logic/words';
import { button, command, h, type Child } from '../ui/dom';
import type { Context } from './view';

function facts(context: Context, series: Series, position: number): [string, Child][] {
  const run = context.machine.runs[series.run[position]];
  const value = series.value[position];
  const samples = series.samples[String(position)];
  const kept = series.quantiles[String(position)] ? 'quantiles only, as the night is an older one'
    : 'not stored';
  const { self, clone, band } = run.controls;
  const controls = [['self', self], ['clone', clone]] as const;
  return [
    ['run', run.run],
    ['commit', h('code', {}, run.commit)],
    ['figure', value === null ? h('span', { class: 'hole' }, `a hole: ${reason(series, position)}`)
      : `${words.figure(series.kind, value)}${series.to ? ` to ${series.to}` : ''}`],
    ['interval', words.interval(series.low[position], series.high[position]) || 'none stored'],
    ['absolute', words.ns(series.ns[position]) || null],
    ['samples', samples ? `n = ${samples.length}` : kept],
    ['controls', controls.filter(([, one]) => one !== null)
      .map(([name, one]) => `${name} ${words.ratio(one)}`).join(', ')
      + (band === null ? '' : `, band ±${(band * 100).toFixed(1)} %`)],
    ['usable', run.usable ? 'yes' : h('strong', {}, 'no: it gates nothing')],
  ];
}

function changePoint(series: Series, position: number): Child {
  const point = series.change_points.find((one) => one.at === position);
  return point && h('p', { class: 'warning' },
    `A change point: ${words.digits(point.before)} before, `
    + `${words.digits(point.after)} since (${words.percent(point.after / point.before)}, `
    + `p = ${point.p}).`);
}

export function nightPanel(context: Context, series: Series, position: number): HTMLElement {
  const { runs } = context.machine;
  const run = runs[series.run[position]];
  const pair = run.pairs.find((row) => row.series === series.name);
  const to = (at: number) => context.go({ run: runs[series.run[at]].run, series: series.name });
  const { a, b } = context.state;
  return h('aside', { class: 'night-panel', 'aria-label': 'the chosen night' },
    h('div', { class: 'heading' }, h('h2', {}, words.night(run)),
      h('span', {}, button('earlier', () => to(position - 1),
        { id: 'earlier', disabled: position === 0 }),
      button('later', () => to(position + 1),
        { id: 'later', disabled: position + 1 === series.run.length }))),
    h('dl', {}, facts(context, series, position).filter(([, value]) => value)
      .map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])),
    changePoint(series, position),
    run.problems.length > 0 && h('ul', { class: 'problems' },
      run.problems.map((text) => h('li', {}, text))),
    pair && h('div', {}, h('p', {},
      `Paired that night: ${pair.verdict}, ${words.ratio(pair.ratio)} `
      + `${words.interval(pair.low, pair.high)}, ${words.commits(pair.a_commit, pair.b_commit)}`),
    command(pair.command)),
    h('div', { class: 'controls' },
      button(a && !b ? 'compare with the one taken' : 'take for a comparison', () => {
        const picked = pick(context.state, run.run);
        context.go(picked.b ? { ...picked, view: 'compare' } : picked);
      }, { id: 'take' }),
      button('distribution', () => context.go({ view: 'distributions', run: run.run,
        series: series.name }))),
    a && !b && h('p', { class: 'said' }, `taken: ${a}`));
}
