// SPDX-License-Identifier: MIT
// The one list of views; the first is what the page opens with.
import { compare } from './compare';
import { distributions } from './distributions';
import { history } from './history';
import { machines } from './machines';
import { matrix } from './matrix';
import { ordering } from './ordering';
import { stress } from './stress';
import { sweeps } from './sweeps';
import { targets } from './targets';
import { today } from './today';
import type { View } from './view';

export const VIEWS: View[] = [today, history, compare, distributions, ordering, sweeps, matrix,
  stress, machines, targets];
