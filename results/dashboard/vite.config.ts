// SPDX-License-Identifier: MIT
import { defineConfig } from 'vite';
import { viteSingleFile } from 'vite-plugin-singlefile';

// The sources lie in src/ because results/dashboard/index.html is the written page of a checkout.
export default defineConfig({
  root: 'src',
  cacheDir: '../node_modules/.vite',
  build: { outDir: '../dist', emptyOutDir: true, chunkSizeWarningLimit: 2000 },
  plugins: [viteSingleFile({ removeViteModuleLoader: true })],
});
