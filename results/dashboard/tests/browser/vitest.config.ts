// SPDX-License-Identifier: MIT
import { defineConfig } from 'vitest/config';

// One browser at a time: two at once on a small machine make the opening time meaningless.
export default defineConfig({
  test: { dir: 'tests/browser', fileParallelism: false, testTimeout: 120_000, hookTimeout: 60_000,
    disableConsoleIntercept: true },
});
