// SPDX-License-Identifier: MIT

export function quantile(sorted: number[], share: number): number {
  const place = (sorted.length - 1) * share;
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

export function sorted(values: number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

// As a box plot wants it: ends at p5 and p95, because the strip shows the single points beyond.
export function box(samples: number[]): number[] {
  const values = sorted(samples);
  return [0.05, 0.25, 0.5, 0.75, 0.95].map((share) => quantile(values, share));
}

// Of the stored quantiles [min, p5, p25, p50, p75, p95, max] of an older night.
export function storedBox(quantiles: number[]): number[] {
  return quantiles.slice(1, 6);
}

// Share of the samples that are at most x, as steps.
export function ecdf(samples: number[]): [number, number][] {
  const values = sorted(samples);
  return values.map((value, index) => [value, (index + 1) / values.length]);
}

// The same sideways offset at every drawing, else a strip would flicker when it is zoomed.
export function jitter(index: number): number {
  return ((index * 0.618034) % 1) - 0.5;
}

export function median(values: number[]): number {
  return quantile(sorted(values), 0.5);
}
