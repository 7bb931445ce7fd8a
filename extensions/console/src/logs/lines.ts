// The lines of a log as they come in. Holds text only; drawing is `LogView`'s.

/** Collects bytes into lines; the last one may still grow. */
export class Lines {
  private readonly finished: string[] = [];
  private open = "";
  private readonly decoder = new TextDecoder("utf-8");
  private readonly watchers = new Set<() => void>();
  /** Bytes taken so far: where to go on. */
  offset = 0;
  /** Grows with every change. */
  version = 0;

  /** How many lines there are; an empty last one does not count. */
  get count(): number {
    return this.finished.length + (this.open === "" ? 0 : 1);
  }

  at(index: number): string {
    return this.finished[index] ?? (index === this.finished.length ? this.open : "");
  }

  add(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.offset += piece.length;
    const parts = this.decoder.decode(piece, { stream: true }).split("\n");
    const first = parts.shift() ?? "";
    if (parts.length === 0) this.open += first;
    else {
      this.finished.push(this.open + first);
      this.open = parts.pop() ?? "";
      for (const part of parts) this.finished.push(part);
    }
    this.version += 1;
    for (const watcher of this.watchers) watcher();
  }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };
}

/** Finds the lines that hold a text, in any case of letters. */
export function search(lines: Lines, text: string, plain: (line: string) => string): number[] {
  const wanted = text.toLowerCase();
  const found: number[] = [];
  if (wanted === "") return found;
  for (let index = 0; index < lines.count; index += 1) {
    if (plain(lines.at(index)).toLowerCase().includes(wanted)) found.push(index);
  }
  return found;
}
