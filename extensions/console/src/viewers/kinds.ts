// How a file is shown, by its name and size. Pure.

export type Kind = "image" | "notebook" | "csv" | "markdown" | "text";

export interface Way {
  kind: Kind;
  /** Bytes beyond which the file is offered for download only. */
  most: number;
}

const MiB = 1 << 20;
const IMAGES = new Set(["png", "jpg", "jpeg", "gif", "webp", "svg", "bmp", "ico", "avif"]);
const NO_TEXT = new Set([
  "zip", "gz", "bz2", "xz", "tar", "7z", "pkl", "pickle", "joblib", "npy", "npz", "parquet", "h5", "hdf5",
  "pt", "pth", "onnx", "so", "whl", "exe", "bin", "pdf", "mp4", "mp3", "wav", "docx", "xlsx", "pptx", "db", "sqlite",
]);

/** The way to show a file; null for one that has none. */
export function wayOf(name: string): Way | null {
  const ending = endingOf(name);
  if (IMAGES.has(ending)) return { kind: "image", most: 20 * MiB };
  if (ending === "ipynb") return { kind: "notebook", most: 20 * MiB };
  if (ending === "csv" || ending === "tsv") return { kind: "csv", most: 20 * MiB };
  if (ending === "md" || ending === "markdown") return { kind: "markdown", most: MiB };
  if (NO_TEXT.has(ending)) return null;
  return { kind: "text", most: 4 * MiB };
}

/** The ending of a name in small letters, without its dot; empty for none. */
export function endingOf(name: string): string {
  const base = name.slice(name.lastIndexOf("/") + 1);
  const dot = base.lastIndexOf(".");
  return dot <= 0 ? "" : base.slice(dot + 1).toLowerCase();
}

/** Whether bytes are no text: a zero byte, or much that is no UTF-8, near the beginning. */
export function looksBinary(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, 8192);
  if (head.includes(0)) return true;
  const text = new TextDecoder().decode(head.length < bytes.length ? head.subarray(0, -4) : head);
  let strange = 0;
  for (const letter of text) if (letter === "\ufffd") strange += 1;
  return strange > 8 && strange > text.length / 50;
}
