// SPDX-License-Identifier: MIT
// ECharts, only the parts used. A chart is drawn when it comes into sight: a year of 240 series
// would otherwise take the page's first seconds.
import { BoxplotChart, LineChart, ScatterChart } from 'echarts/charts';
import {
  AriaComponent, BrushComponent, DataZoomComponent, GridComponent, LegendComponent,
  MarkLineComponent, TooltipComponent,
} from 'echarts/components';
import * as echarts from 'echarts/core';
import type { EChartsCoreOption, EChartsType } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Cell } from '../logic/csv';
import { button, download, fileName, h } from './dom';
import { exports } from './table';
import { colour } from './theme';

echarts.use([LineChart, ScatterChart, BoxplotChart, GridComponent, TooltipComponent,
  LegendComponent, DataZoomComponent, BrushComponent, MarkLineComponent, AriaComponent,
  SVGRenderer]);

export type { EChartsCoreOption, EChartsType };

export interface ChartOptions {
  title: string;
  summary: string;                     // what a screen reader says in place of the picture
  height: number;
  caption?: boolean;                   // false: the title stands above already
  option: () => EChartsCoreOption;
  header: string[];                    // of the data, downloadable beside the picture
  rows: () => Cell[][];
  ready?: (chart: EChartsType) => void;
}

declare global {
  // Tests assert what a chart shows by its data, as pixels change with every version.
  interface Window { threadrefCharts: Map<string, EChartsType> }
}
window.threadrefCharts = new Map();

const resized = new ResizeObserver((entries) => {
  for (const entry of entries) echarts.getInstanceByDom(entry.target as HTMLElement)?.resize();
});

const pending = new Map<Element, () => void>();
const queue: Element[] = [];

// One chart a frame: the first can be read and used while the others are still drawn.
function drawNext(): void {
  const place = queue.shift();
  if (!place) return;
  pending.get(place)?.();
  pending.delete(place);
  requestAnimationFrame(drawNext);
}

const seen = new IntersectionObserver((entries) => {
  const idle = !queue.length;
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    queue.push(entry.target);
  }
  if (idle) drawNext();
}, { rootMargin: '200px' });

export function disposeCharts(): void {
  for (const chart of window.threadrefCharts.values()) {
    resized.unobserve(chart.getDom());
    chart.dispose();
  }
  window.threadrefCharts.clear();
  for (const place of pending.keys()) seen.unobserve(place);
  pending.clear();
}

// What every chart shares; the chart's own option goes over it.
function base(summary: string): EChartsCoreOption {
  const ink = colour('ink');
  const tooltip = {
    // Plain text, because names out of the data must never become HTML.
    renderMode: 'richText', confine: true, backgroundColor: colour('paper'),
    borderColor: colour('line'), textStyle: { color: ink, fontSize: 12 },
  };
  return {
    animation: false, textStyle: { color: ink, fontFamily: 'system-ui, "DejaVu Sans", sans-serif' },
    tooltip, aria: { enabled: true, label: { description: summary } },
  };
}

function draw(place: HTMLElement, options: ChartOptions): void {
  const chart = echarts.init(place, null, { renderer: 'svg' });
  const own = options.option();
  const shared = base(options.summary);
  const tooltip = { ...shared.tooltip as object, ...own.tooltip as object };
  chart.setOption({ ...shared, ...own, tooltip });
  window.threadrefCharts.set(options.title, chart);
  resized.observe(place);
  options.ready?.(chart);
}

// An axis in the page's colours.
export function axis(more: EChartsCoreOption): EChartsCoreOption {
  const line = { lineStyle: { color: colour('line') } };
  return {
    axisLine: line, axisTick: line, axisLabel: { color: colour('quiet'), hideOverlap: true },
    splitLine: { show: more.type === 'value' || more.type === 'log', ...line },
    nameTextStyle: { color: colour('quiet'), align: 'left' }, ...more,
  };
}

export function chart(options: ChartOptions): HTMLElement {
  const place = h('div', { class: 'chart', role: 'img', 'aria-label': options.summary });
  place.style.height = `${options.height}px`;
  pending.set(place, () => draw(place, options));
  seen.observe(place);
  const svg = button('SVG', () => {
    const drawn = echarts.getInstanceByDom(place);
    if (drawn) {
      download(fileName(options.title, 'svg'), 'image/svg+xml', drawn.renderToSVGString());
    }
  }, { 'aria-label': `download ${options.title} as SVG` });
  const files = exports(options.title, options.header, options.rows);
  files.append(svg);
  return h('figure', {},
    options.caption !== false && h('figcaption', {}, h('strong', {}, options.title)),
    place, h('div', { class: 'foot' }, h('span', { class: 'said' }, options.summary), files));
}
