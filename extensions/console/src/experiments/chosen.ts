// Which columns somebody has chosen for a project's runs: kept in this browser.

const key = (projectId: string) => `smalti-columns-${projectId}`;

/** The keys of the chosen columns; null when nobody has chosen. */
export function chosenColumns(projectId: string): string[] | null {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key(projectId)) ?? "null");
    return Array.isArray(kept) ? kept.filter((one) => typeof one === "string") : null;
  } catch {
    return null; // a store that is closed or was written by something else
  }
}

/** Keeps a choice; null goes back to the usual columns. */
export function keepColumns(projectId: string, keys: string[] | null): void {
  try {
    if (keys === null) localStorage.removeItem(key(projectId));
    else localStorage.setItem(key(projectId), JSON.stringify(keys));
  } catch {
    return; // a full or closed store: the choice holds for this page
  }
}
