// SPDX-License-Identifier: MIT
// A table that can be taken along as CSV or JSON: what is shown and what is downloaded are the
// same rows, unrounded.
import { csv, type Cell } from '../logic/csv';
import { button, download, fileName, h, type Child } from './dom';

export interface Column<Row> {
  title: string;
  value: (row: Row) => Cell;              // downloaded, and shown if there is no `show`
  show?: (row: Row) => Child;
  text?: boolean;                         // words: to the left, and may wrap
  mark?: (row: Row) => string;            // class of the cell
}

export interface TableOptions {
  caption: string;
  empty: string;                          // said in place of rows
  most?: number;                          // rows shown at first
  rowClass?: string;
}

export function exports(title: string, header: string[], rows: () => Cell[][]): HTMLElement {
  const asCsv = () => download(fileName(title, 'csv'), 'text/csv', csv(header, rows()));
  const asJson = () => download(fileName(title, 'json'), 'application/json', JSON.stringify(
    rows().map((row) => Object.fromEntries(header.map((name, at) => [name, row[at]]))), null, 1));
  return h('span', { class: 'exports' },
    button('CSV', asCsv, { 'aria-label': `download ${title} as CSV` }),
    button('JSON', asJson, { 'aria-label': `download ${title} as JSON` }));
}

function line<Row>(row: Row, columns: Column<Row>[]): HTMLElement {
  return h('tr', {}, columns.map((column, at) => {
    const content = column.show ? column.show(row) : column.value(row);
    const classes = [column.text ? 'text' : '', column.mark?.(row) ?? ''].join(' ').trim();
    const props = { class: classes || null };
    const child = typeof content === 'boolean' ? String(content) : content;
    return at === 0 ? h('th', { ...props, scope: 'row' }, child) : h('td', props, child);
  }));
}

export function table<Row>(
  options: TableOptions, columns: Column<Row>[], rows: Row[],
): HTMLElement {
  const header = columns.map((column) => column.title);
  const body = h('tbody', {});
  const most = options.most ?? 100;
  const show = (from: number, to: number) => body.append(
    ...rows.slice(from, to).map((row) => line(row, columns)));
  show(0, most);
  const rest = rows.length - most;
  const more = rest > 0 && button(`show ${rest} more`, () => {
    show(most, rows.length);
    (more as HTMLElement).remove();
  }, { class: 'more' });
  if (!rows.length) return h('p', { class: 'hole' }, options.empty);
  return h('div', { class: 'table' },
    h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': options.caption },
      h('table', {}, h('caption', {}, options.caption),
        h('thead', {}, h('tr', {}, columns.map((column) =>
          h('th', { scope: 'col', class: column.text ? 'text' : null }, column.title)))), body)),
    h('div', { class: 'foot' }, more,
      exports(options.caption, header, () => rows.map((row) =>
        columns.map((column) => column.value(row))))));
}
