// SPDX-License-Identifier: MIT
// The document that the page shows: written by scripts/lab page data, read by the page. Columns,
// not rows: a year of 4 machines x 60 series must stay a few MB. All arrays of one series have the
// same length.
export interface PageData {
  schema: 1;
  simulated: boolean;          // a simulated year: the page says so at the top, always
  judged_at: string;           // UTC of the last judgement, "2026-01-31T02:03:04Z"
  verdict: { status: 0 | 2 | 3; sentence: string };
  machines: Machine[];
  overdue_after_hours: number; // 36
  problems: string[];          // lines of the history that could not be read
}

export interface Machine {
  name: string;
  runs: Run[];                 // oldest first
  last_usable: number | null;  // index into runs
  series: Series[];
  changes: Change[];           // newest first
  stress: StressCell[];
  stress_nights: StressNight[];   // totals, one per run that has some
  matrix: MatrixNight[];       // one per run that has one
  targets: TargetRow[];        // newest run that judged them
}

export interface Run {
  run: string;
  commit: string;
  started: string;
  finished: string;
  quick: boolean;
  status: number;
  usable: boolean;             // false: hollow points, gates nothing
  problems: string[];          // sentences
  environment: Record<string, string>;
  environment_hash: string;    // a new one starts a segment
  controls: { self: number | null; clone: number | null; band: number | null };
  pairs: PairRow[];            // what the paired gate of that night said
}

export interface PairRow {
  series: string;
  a_commit: string;
  b_commit: string;
  ratio: number;
  low: number;
  high: number;
  verdict: string;
  confirmed: boolean | null;
  processes: number;
  command: string;
}

export interface Series {
  name: string;                // finalize/exit/registry/n:16
  group: string;
  quantity: string;
  subject: string;
  parameters: Record<string, number>;
  kind: 'ratio' | 'ns' | 'instructions' | 'bytes' | 'count';
  to: string | null;           // a ratio's floor, in words
  run: number[];               // index into runs
  value: (number | null)[];    // null: a hole
  low: (number | null)[];
  high: (number | null)[];
  ns: (number | null)[];       // the absolute figure beside a ratio, if any
  why: Record<string, string>; // key: position in the columns as text -> why there is a hole
  samples: Record<string, number[]>;   // position -> every repetition; newest 14 usable runs only
  quantiles: Record<string, number[]>; // of older ones: [min, p5, p25, p50, p75, p95, max]
  latency: Record<string, Latency>;    // exit rows, newest 14
  order: Record<string, string>;       // position -> "ok", "oldest first", a trace (order rows)
  change_points: ChangePoint[];
}

export interface Latency { p50: number; p90: number; p99: number; p999: number; max: number }

// at: position of the first point after the change
export interface ChangePoint { at: number; before: number; after: number; p: number }

export interface Change {
  machine: string;
  series: string;
  kind: 'regression' | 'improvement' | 'forbidden' | 'sanitizer' | 'target' | 'guarantee';
  sentence: string;            // what changed, in words
  ratio: number | null;
  low: number | null;
  high: number | null;
  certainty: string;           // "paired, confirmed by a second run", "change point, p = 0.0004"
  since_run: number;           // index into runs: the first run with it
  from_commit: string;         // range in which it came; equal if the very commit is known
  to_commit: string;
  command: string;             // reproduces it
  acknowledged: string | null; // reason out of notes.jsonl
}

export interface StressCell {
  cell: string;
  scenario: string;
  backend: string;
  run: number[];
  verdict: string[];
  rounds: number[];
  threads: number[];
  memory_slope: (number | null)[];
  outcomes: Outcome[][];
}

export interface Outcome { name: string; grade: string; count: number }

export interface StressNight {
  run: number;
  threads: number;
  finalizers: number;
  verdict: string;
  sanitizer_reports: number;
  new: string[];
  canaries: Record<string, number>; // name -> seconds until caught
}

// grades[row][backend]: "kept", "broken", "declared", "unknown", "" (a hole)
export interface MatrixNight { run: number; rows: string[]; backends: string[]; grades: string[][] }

export interface TargetRow {
  target: string;
  measured: number | null;
  low: number | null;
  high: number | null;
  limit: string;
  verdict: string;
  reason: string | null;
}
