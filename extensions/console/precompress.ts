// Writes each text file of a build a second and third time, compressed: the platform never
// compresses while somebody waits.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import type { Plugin } from "vite";

const SMALLEST = 1024;

/** Compresses the text files of the folder that was written. */
export function precompress(): Plugin {
  return {
    name: "smalti-precompress",
    apply: "build",
    writeBundle(options) {
      const folder = options.dir;
      if (folder === undefined) return;
      for (const name of readdirSync(folder)) {
        if (!/\.(js|css|svg)$/.test(name)) continue;
        const content = readFileSync(join(folder, name));
        if (content.length < SMALLEST) continue;
        const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } };
        writeFileSync(join(folder, `${name}.br`), brotliCompressSync(content, quality));
        writeFileSync(join(folder, `${name}.gz`), gzipSync(content, { level: 9 }));
      }
    },
  };
}
