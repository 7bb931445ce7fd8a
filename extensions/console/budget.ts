// Holds the first view to a size: what a browser fetches before it shows the first page.
import { gzipSync } from "node:zlib";

import type { Plugin, Rolldown } from "vite";

const MOST = 500_000; // bytes, gzipped
const FIRST = "/src/overview/OverviewPage.tsx";

type Bundle = Rolldown.OutputBundle;

/** Fails a build whose first view is larger; says how large it is. */
export function budget(): Plugin {
  return {
    name: "smalti-budget",
    apply: "build",
    generateBundle(_, bundle) {
      const names = firstView(bundle);
      const size = names.reduce((sum, name) => sum + gzipped(bundle, name), 0);
      const words = `the first view is ${Math.round(size / 1000)} kB gzipped in ${names.length} files`;
      if (size > MOST) this.error(`${words}; at most ${MOST / 1000} kB are allowed`);
      this.info(words);
    },
  };
}

/** The files of the entry and of the first page, with all that they import and their styles. */
function firstView(bundle: Bundle): string[] {
  const found = new Set<string>();
  const add = (name: string) => {
    const chunk = bundle[name];
    if (chunk?.type !== "chunk" || found.has(name)) return;
    found.add(name);
    for (const style of chunk.viteMetadata?.importedCss ?? []) found.add(style);
    for (const other of chunk.imports) add(other);
  };
  let pages = 0;
  for (const [name, chunk] of Object.entries(bundle)) {
    if (chunk.type !== "chunk") continue;
    const first = chunk.facadeModuleId?.endsWith(FIRST) === true;
    if (first) pages += 1;
    if (chunk.isEntry || first) add(name);
  }
  if (pages !== 1) throw new Error(`${FIRST} is not one file of the build: the budget cannot be reckoned`);
  return [...found];
}

function gzipped(bundle: Bundle, name: string): number {
  const file = bundle[name];
  if (file === undefined) return 0;
  return gzipSync(file.type === "chunk" ? file.code : file.source, { level: 9 }).length;
}
