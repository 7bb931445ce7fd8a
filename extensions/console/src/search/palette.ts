// Opens the command palette from anywhere.

const OPEN = new EventTarget();

export function openPalette(): void {
  OPEN.dispatchEvent(new Event("open"));
}

/** Calls a listener whenever the palette is to open; gives the way to stop. */
export function onOpenPalette(listener: () => void): () => void {
  OPEN.addEventListener("open", listener);
  return () => OPEN.removeEventListener("open", listener);
}
