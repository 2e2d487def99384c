// SPDX-License-Identifier: MIT
// Elements without a framework. Text is always set as text: names out of the data are never HTML.

export type Child = Node | string | number | null | undefined | false | Child[];
type Value = string | number | boolean | null | undefined | ((event: Event) => void);

export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag, props: Record<string, Value> = {}, ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

export function append(parent: Node, children: Child[]): void {
  for (const child of children) {
    if (Array.isArray(child)) append(parent, child);
    else if (child instanceof Node) parent.appendChild(child);
    else if (child !== null && child !== undefined && child !== false) {
      parent.appendChild(document.createTextNode(String(child)));
    }
  }
}

export function fill(parent: Node, ...children: Child[]): void {
  while (parent.firstChild) parent.removeChild(parent.firstChild);
  append(parent, children);
}

// Said by screen readers, seen by nobody: what a click did when nothing else on the page moves.
const speaker = h('div', { 'aria-live': 'polite', class: 'unseen' });

export function announce(sentence: string): void {
  if (!speaker.isConnected) document.body.appendChild(speaker);
  speaker.textContent = sentence;
}

export function button(text: string, act: () => void, props: Record<string, Value> = {}) {
  return h('button', { type: 'button', ...props, onclick: act }, text);
}

export function select(
  id: string, label: string, options: [value: string, text: string][], value: string,
  change: (value: string) => void,
): HTMLElement {
  const list = h('select', { id, onchange: (event) =>
    change((event.target as HTMLSelectElement).value) },
  options.map(([name, text]) => h('option', { value: name, selected: name === value }, text)));
  return h('label', { class: 'field' }, h('span', {}, label), list);
}

async function toClipboard(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Some browsers give file:// no clipboard; the old way needs a selection.
    const area = h('textarea', { class: 'unseen' });
    area.value = text;
    document.body.appendChild(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
}

export function command(text: string): HTMLElement {
  const copy = button('copy', () => {
    void toClipboard(text).then(() => {
      copy.textContent = 'copied';
      announce(`copied: ${text}`);
      setTimeout(() => { copy.textContent = 'copy'; }, 2000);
    });
  }, { class: 'copy', 'aria-label': `copy the command ${text}` });
  return h('span', { class: 'command' }, h('code', {}, text), copy);
}

export function download(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  h('a', { href: address, download: name }).click();
  // Revoked at once, a slow disk would get nothing.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

export function fileName(title: string, ending: string): string {
  const plain = title.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
  return `threadref-${plain}.${ending}`;
}
