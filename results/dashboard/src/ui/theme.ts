// SPDX-License-Identifier: MIT
// Light or dark: the system's wish, until the reader says otherwise. Colours are CSS variables, so
// charts and tables cannot differ.

const KEY = 'threadref-theme';
const wish = matchMedia('(prefers-color-scheme: dark)');

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;  // file:// without storage: the system's wish it is
  }
}

function apply(): void {
  const chosen = stored();
  const wished = wish.matches ? 'dark' : 'light';
  set(chosen === 'dark' || chosen === 'light' ? chosen : wished);
}

function set(theme: string): void {
  document.documentElement.dataset.theme = theme;
}

export function startTheme(changed: () => void): void {
  apply();
  wish.addEventListener('change', () => {
    apply();
    changed();
  });
}

export function otherTheme(): string {
  return document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
}

export function switchTheme(): void {
  const theme = otherTheme();
  set(theme);
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Not kept then; the page of this morning has the wished colours all the same.
  }
}

export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

const SUBJECT_COLOURS = 8;
const MARKS = ['circle', 'rect', 'triangle', 'diamond', 'roundRect', 'pin', 'arrow'];

// A subject keeps its colour in all charts of a page: by its place among all subjects.
export function subjectColour(subjects: string[], subject: string): string {
  return colour(`s${subjects.indexOf(subject) % SUBJECT_COLOURS}`);
}

export function subjectMark(subjects: string[], subject: string): string {
  return MARKS[subjects.indexOf(subject) % MARKS.length];
}
