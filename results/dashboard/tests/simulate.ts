// SPDX-License-Identifier: MIT
// A document out of a seed, with one of everything that the page has to show. The same numbers at
// every run: a failing test is seen again with the same seed.
import type { Change, Machine, MatrixNight, PageData, Run, Series, StressCell, StressNight }
  from '../src/data';

export interface Wish { nights: number; machines: number; quantities: number; seed: number }

export const SMALL: Wish = { nights: 60, machines: 2, quantities: 12, seed: 7 };
// Twelve quantities of five subjects: 60 series.
export const YEAR: Wish = { nights: 365, machines: 4, quantities: 12, seed: 7 };

const SUBJECTS = ['registry', 'pthread_key', 'cxa_thread_atexit', 'cxx_thread_local',
  'floor_destructor'];
const QUANTITIES: [string, Record<string, number>][] = [['registration', { n: 1 }],
  ['registration', { n: 16 }], ['registration', { n: 256 }], ['exit', { n: 1 }],
  ['exit', { n: 16 }], ['exit', { n: 256 }], ['exit_under_churn', { n: 16, churn: 4 }],
  ['detach_owner', { n: 16 }], ['cancel_foreign', { n: 16 }], ['ordering', { n: 16 }],
  ['ensure', { n: 1 }], ['call_owner', { n: 16 }]];
const REPETITIONS = 20;
const WHOLE = 14;
const DAY = 86400e3;
export const LAST = Date.parse('2026-01-31T02:03:04Z');

// mulberry32
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const utc = (time: number) => new Date(time).toISOString().replace('.000', '');
const cut = (value: number, digits = 4) => Number(value.toPrecision(digits));

function hex(draw: () => number, length: number): string {
  return Array.from({ length }, () => Math.floor(draw() * 16).toString(16)).join('');
}

function runOf(draw: () => number, night: number, wish: Wish): Run {
  const start = LAST - (wish.nights - 1 - night) * DAY;
  const commit = hex(draw, 40);
  const usable = night % 17 !== 9;
  const compiler = night < wish.nights / 3 ? 'g++ 12.2.0' : 'g++ 12.3.0';
  return {
    run: `${utc(start).replaceAll(':', '')}-${commit.slice(0, 7)}`, commit,
    started: utc(start), finished: utc(start + 50 * 60e3), quick: false,
    status: usable ? 0 : 3, usable,
    problems: usable ? [] : ['the control left ±1 %: another program used the machine'],
    environment: { cpu: 'EPYC-Genoa', kernel: '6.1.0-28', compiler, libc: 'glibc 2.36',
      pinning: 'cpu 1', load: cut(draw(), 2).toString() },
    environment_hash: compiler === 'g++ 12.2.0' ? '3fa9c1d2' : '77b0e4aa',
    controls: { self: cut(1 + (draw() - 0.5) * 0.004), clone: cut(1 + (draw() - 0.5) * 0.01),
      band: usable ? 0.008 : 0.041 },
    pairs: [],
  };
}

function seriesOf(draw: () => number, runs: Run[], subject: string, place: number): Series {
  const [quantity, parameters] = QUANTITIES[place];
  const floor = subject.startsWith('floor_');
  const name = `finalize/${quantity}/${subject}`
    + Object.entries(parameters).map(([key, value]) => `/${key}:${value}`).join('');
  const series: Series = { name, group: 'finalize', quantity, subject, parameters,
    kind: floor ? 'ns' : 'ratio', to: floor ? null : 'the floor of one destructor', run: [],
    value: [], low: [], high: [], ns: [], why: {}, samples: {}, quantiles: {}, latency: {},
    order: {}, change_points: [] };
  const step = Math.floor(runs.length * 0.75);
  const steps = subject === 'registry' && place === 4;
  let level = (floor ? 20 : 1) * (1 + draw() * 2);
  const usable = runs.flatMap((run, index) => (run.usable ? [index] : []));
  const whole = new Set(usable.slice(-WHOLE));
  runs.forEach((run, index) => {
    if (steps && index === step) {
      series.change_points.push({ at: series.run.length, before: cut(level), p: 0.0004,
        after: cut(level * 1.052) });
      level *= 1.052;
    }
    addNight(draw, series, run, index, level, whole.has(index));
  });
  return series;
}

function addNight(draw: () => number, series: Series, run: Run, index: number, level: number,
                  whole: boolean): void {
  const at = series.run.push(index) - 1;
  const key = String(at);
  if (index % 41 === 25) {
    series.why[key] = 'the row crashed: signal 11';
    for (const column of [series.value, series.low, series.high, series.ns]) column.push(null);
    return;
  }
  const value = level * (1 + (draw() - 0.5) * (run.usable ? 0.012 : 0.12));
  const one = () => cut(value * (0.985 + draw() * 0.03 + (draw() > 0.85 ? 0.05 : 0)));
  series.value.push(cut(value));
  series.low.push(cut(value * 0.988));
  series.high.push(cut(value * 1.011));
  series.ns.push(series.kind === 'ratio' ? cut(value * 31) : null);
  if (whole) {
    series.samples[key] = Array.from({ length: REPETITIONS }, one);
    if (series.quantity.startsWith('exit')) {
      const p50 = value * 40 * (0.9 + draw() * 0.2);
      series.latency[key] = { p50: cut(p50), p90: cut(p50 * 1.6), p99: cut(p50 * 4),
        p999: cut(p50 * 22), max: cut(p50 * 300) };
    }
  } else if (run.usable) {
    series.quantiles[key] = [0.97, 0.98, 0.99, 1, 1.01, 1.04, 1.06].map((one) => cut(value * one));
  }
  if (series.quantity === 'ordering') {
    series.order[key] = series.subject === 'cxx_thread_local' && index % 7 === 3 ? 'oldest first'
      : 'ok';
  }
}

function matrixOf(night: number, last: number): MatrixNight {
  const backends = SUBJECTS.slice(0, 4);
  const rows = ['runs each finalizer once', 'newest first', 'late attach runs', 'inside malloc'];
  const grades = rows.map((_, row) => backends.map((_, backend) => {
    if (row === 3 && backend === 3) return '';
    if (row === 2 && backend === 2) return 'declared';
    return row === 1 && backend === 3 && night === last ? 'broken' : 'kept';
  }));
  return { run: night, rows, backends, grades };
}

function cellOf(draw: () => number, runs: Run[], scenario: string, backend: string): StressCell {
  const cell: StressCell = { cell: `${scenario}/${backend}`, scenario, backend, run: [],
    verdict: [], rounds: [], threads: [], memory_slope: [], outcomes: [] };
  runs.forEach((_, index) => {
    if (index % 13 === 5 && backend === 'cxx_thread_local') return;
    const rounds = 400 + Math.floor(draw() * 90);
    cell.run.push(index);
    cell.verdict.push('passed');
    cell.rounds.push(rounds);
    cell.threads.push(rounds * 64);
    cell.memory_slope.push(index % 29 === 3 ? null : cut((draw() - 0.5) * 0.2, 3));
    cell.outcomes.push([{ name: 'once', grade: 'acceptable', count: rounds * 64 },
      { name: 'late', grade: 'interesting', count: Math.floor(draw() * 4) },
      { name: 'lost', grade: 'forbidden', count: 0 }]);
  });
  return cell;
}

function stressNight(draw: () => number, run: number, last: number): StressNight {
  const reports = run === last ? 1 : 0;
  return { run, threads: 61e6 + Math.floor(draw() * 1e6), finalizers: 401e6,
    verdict: reports ? 'failed' : 'passed', sanitizer_reports: reports,
    new: reports ? ['a data race in detach_race/cxx_thread_local, first seen this night'] : [],
    canaries: { lossy: cut(0.1 + draw() * 0.1, 3), twice: cut(0.2 + draw() * 0.3, 3),
      reversed: cut(0.3 + draw(), 3), late_death: cut(1 + draw() * 4, 3) } };
}

function changesOf(machine: string, series: Series[], runs: Run[]): Change[] {
  const step = Math.floor(runs.length * 0.75);
  const common = { machine, from_commit: runs[step - 1].commit, to_commit: runs[step].commit };
  const command = (name: string) => `scripts/lab compare ${runs[step - 1].commit.slice(0, 7)} `
    + `${runs[step].commit.slice(0, 7)} --filter '^${name}$'`;
  const made = (index: number, kind: Change['kind'], ratio: number | null, sentence: string,
                acknowledged: string | null): Change => ({ ...common, series: series[index].name,
    kind, sentence, ratio, low: ratio && cut(ratio - 0.011), high: ratio && cut(ratio + 0.012),
    certainty: ratio ? 'paired, confirmed by a second run' : 'seen once', since_run: step,
    command: command(series[index].name), acknowledged });
  return [
    made(20, 'regression', 1.052, 'Exit of 16 finalizers takes 5.2 % longer than before.', null),
    made(5, 'improvement', 0.931, 'Registration of 16 finalizers takes 6.9 % less.', null),
    made(10, 'regression', 1.034, 'Registration takes 3.4 % longer.',
      'the price of the larger node, agreed on'),
  ];
}

function machineOf(wish: Wish, number: number): Machine {
  const draw = random(wish.seed * 1000 + number);
  const name = ['vm', 'genoa', 'raptor', 'graviton'][number];
  const runs = Array.from({ length: wish.nights }, (_, night) => runOf(draw, night, wish));
  const series = QUANTITIES.slice(0, wish.quantities).flatMap((_, place) =>
    SUBJECTS.map((subject) => seriesOf(draw, runs, subject, place)));
  const last = runs.length - 1;
  for (const index of [last - 1, last]) {
    runs[index].pairs = series.slice(0, 20).map((one, at) => ({ series: one.name,
      a_commit: runs[index - 1].commit, b_commit: runs[index].commit, ratio: 1.001 + at / 1e4,
      low: 0.99, high: 1.012, verdict: 'same', confirmed: null, processes: 30,
      command: `scripts/lab compare --filter '^${one.name}$'` }));
  }
  return {
    name, runs, series, last_usable: runs.findLastIndex((run) => run.usable),
    changes: number === 0 ? changesOf(name, series, runs) : [],
    stress: ['churn', 'burst', 'detach_race'].flatMap((scenario) =>
      SUBJECTS.slice(0, 4).map((backend) => cellOf(draw, runs, scenario, backend))),
    stress_nights: runs.map((_, index) => stressNight(draw, index, number === 0 ? last : -1)),
    matrix: runs.map((_, index) => matrixOf(index, number === 0 ? last : -1)),
    targets: [{ target: 'exit/n:16', measured: 1.9, low: 1.86, high: 1.93, limit: '<= 2',
      verdict: 'met', reason: null }, { target: 'registration/n:1', measured: 2.31, low: 2.29,
      high: 2.36, limit: '<= 2.25', verdict: 'missed', reason: 'the first block is allocated' }],
  };
}

export function simulate(wish: Wish): PageData {
  const machines = Array.from({ length: wish.machines }, (_, number) => machineOf(wish, number));
  const [regression] = machines[0].changes;
  return {
    schema: 1, simulated: true, judged_at: utc(LAST + 51 * 60e3), overdue_after_hours: 36,
    verdict: { status: 2, sentence: `${regression.series} is slower by 5.2 % on `
      + `${machines[0].name}, confirmed by a second run.` },
    machines, problems: [],
  };
}
