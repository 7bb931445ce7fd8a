// How the console is built: hashed files in one flat folder, which services/console serves.
// `SMALTI_CONSOLE_OUT` names the folder; the set-up builds into a new one and swaps it in.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

import { budget } from "./budget";
import { precompress } from "./precompress";

export default defineConfig({
  base: "/services/smalti/static/built/",
  publicDir: false,
  // The platform puts a value of its own for each answer in this place.
  html: { cspNonce: "{{nonce}}" },
  plugins: [react(), budget(), precompress()],
  build: {
    outDir: process.env.SMALTI_CONSOLE_OUT ?? "../../services/console/built",
    emptyOutDir: true,
    assetsDir: "",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    chunkSizeWarningLimit: 900,
  },
});
