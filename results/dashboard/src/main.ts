// SPDX-License-Identifier: MIT
import { load } from './logic/document';
import { start } from './page';
import { fill, h } from './ui/dom';
import { startTheme } from './ui/theme';

const place = document.getElementById('page') as HTMLElement;
const loaded = load(document.getElementById('threadref-data')?.textContent ?? '');
if ('data' in loaded) {
  const render = start(place, loaded.data);
  startTheme(render);
  render();
} else {
  const say = () => fill(place, h('main', { class: 'empty' }, h('h1', {}, 'threadref: last night'),
    h('p', { id: 'sentence', role: 'alert' }, loaded.sentence)));
  startTheme(say);
  say();
}
