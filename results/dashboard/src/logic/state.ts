// SPDX-License-Identifier: MIT
// What the page shows, as the address's hash: every view of every series is a link to send.

export interface State {
  view: string;
  machine: string;
  series: string;
  run: string;      // the chosen night
  from: string;     // the zoomed range, as runs
  to: string;
  a: string;        // the two compared runs
  b: string;
  cell: string;     // a stress cell
  least: string;    // smallest change worth a line, in %
  peers: string;    // not empty: the other subjects of the quantity too
  q: string;        // search
  group: string;
  quantity: string;
  subject: string;
}

export const EMPTY: State = {
  view: '', machine: '', series: '', run: '', from: '', to: '', a: '', b: '', cell: '', least: '',
  peers: '', q: '', group: '', quantity: '', subject: '',
};

export function parse(hash: string, views: string[]): State {
  const state = { ...EMPTY };
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  for (const key of Object.keys(EMPTY) as (keyof State)[]) state[key] = given.get(key) ?? '';
  if (!views.includes(state.view)) state.view = views[0];
  return state;
}

export function format(state: State): string {
  const given = new URLSearchParams();
  for (const key of Object.keys(EMPTY) as (keyof State)[]) {
    if (state[key]) given.set(key, state[key]);
  }
  // A series name stays readable in the link.
  return `#${given.toString().replace(/%2F/g, '/').replace(/%3A/g, ':')}`;
}

// A click on a night: the first makes it A, the second B, the third begins again.
export function pick(state: State, run: string): Pick<State, 'a' | 'b'> {
  if (!state.a || state.b) return { a: run, b: '' };
  return run === state.a ? { a: '', b: '' } : { a: state.a, b: run };
}
