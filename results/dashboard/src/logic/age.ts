// SPDX-License-Identifier: MIT
// How old a machine's last usable night is. Against the reader's clock, not the writer's: a page
// that nobody writes any more must turn red by itself.
import type { Machine } from '../data';
import { plural } from './words';

export interface Age {
  hours: number | null;
  overdue: boolean;
  words: string;
}

const HOUR = 3600e3;
// Two clocks are never quite equal; more than this is a wrong one.
const CLOCK_SLACK_HOURS = 0.25;

export function since(hours: number): string {
  if (hours < 1) return 'less than an hour';
  const whole = Math.floor(hours);
  if (whole < 48) return plural(whole, 'hour');
  const rest = whole % 24;
  const days = plural(Math.floor(whole / 24), 'day');
  return rest ? `${days} ${plural(rest, 'hour')}` : days;
}

export function age(machine: Machine, now: number, limitHours: number): Age {
  if (machine.last_usable === null) {
    return { hours: null, overdue: true, words: 'overdue: no usable night yet' };
  }
  const hours = (now - Date.parse(machine.runs[machine.last_usable].finished)) / HOUR;
  if (hours < -CLOCK_SLACK_HOURS) {
    return { hours, overdue: true, words: 'dated in the future: a clock is wrong' };
  }
  if (hours > limitHours) {
    return { hours, overdue: true, words: `overdue: ${since(hours)} old` };
  }
  return { hours, overdue: false, words: `${since(hours)} old` };
}

export function overdueSentence(machines: Machine[], now: number, limitHours: number): string {
  const late = machines.filter((machine) => age(machine, now, limitHours).overdue);
  if (!late.length) return '';
  const names = late.map((machine) => machine.name).join(', ');
  return `Overdue, no usable night within ${limitHours} hours: ${names}.`;
}
