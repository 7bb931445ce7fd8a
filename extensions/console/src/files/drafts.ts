// What was typed and not saved yet, kept in this browser for a week.

const KEY = "smalti-draft:";
const MOST = 1 << 20;
const WEEK = 7 * 86_400_000;

interface Draft {
  at: number;
  text: string;
}

/** The kept text; null when there is none, or an old one. */
export function draftOf(name: string): string | null {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY + name) ?? "null") as Draft | null;
    return kept !== null && Date.now() - kept.at < WEEK ? kept.text : null;
  } catch {
    return null;
  }
}

/** Keeps a text; a very long one is not kept. */
export function keepDraft(name: string, text: string): void {
  if (text.length > MOST) return;
  try {
    localStorage.setItem(KEY + name, JSON.stringify({ at: Date.now(), text } satisfies Draft));
  } catch {
    return; // the store is full or closed: the text is in the page only
  }
}

export function dropDraft(name: string): void {
  try {
    localStorage.removeItem(KEY + name);
  } catch {
    return;
  }
}
