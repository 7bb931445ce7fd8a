// Runs before the first paint: light or dark, as chosen here or as the system says.
"use strict";

(() => {
  let chosen = null;
  try {
    chosen = window.localStorage.getItem("smalti-scheme");
  } catch {
    chosen = null; // a browser that keeps nothing: the system's choice holds
  }
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  const scheme = chosen === "light" || chosen === "dark" ? chosen : dark ? "dark" : "light";
  document.documentElement.setAttribute("data-mantine-color-scheme", scheme);
})();
