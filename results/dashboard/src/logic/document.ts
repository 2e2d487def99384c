// SPDX-License-Identifier: MIT
// The embedded document, judged at the edge: after this nothing is checked again.
import type { PageData } from '../data';

export type Loaded = { data: PageData } | { sentence: string };

export const SCHEMA = 1;
const NO_DATA = 'This page holds no data yet: it is the template that the command '
  + 'scripts/nightly.sh fills with the stored nights.';

export function load(text: string): Loaded {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { sentence: `The data in this page is not JSON (${(error as Error).message}); `
      + 'scripts/nightly.sh writes the page anew.' };
  }
  if (value === null) return { sentence: NO_DATA };
  const schema = typeof value === 'object' ? (value as { schema?: unknown }).schema : undefined;
  if (schema !== SCHEMA) {
    return { sentence: `This page shows documents of schema ${SCHEMA}, and the data in it is of `
      + `schema ${JSON.stringify(schema) ?? 'unknown'}; scripts/nightly.sh of one checkout writes `
      + 'both alike.' };
  }
  const data = value as PageData;
  if (!Array.isArray(data.machines) || !data.machines.length) {
    return { sentence: 'The data in this page names no machine; scripts/nightly.sh stores the '
      + 'first night of this one.' };
  }
  return { data };
}
