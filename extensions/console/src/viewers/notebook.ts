// Reads a Jupyter notebook into what is shown of it. Everything in it may be of any shape. Pure.

export type Output =
  | { kind: "text"; text: string; bad: boolean }
  | { kind: "html"; html: string }
  | { kind: "markdown"; text: string }
  | { kind: "image"; type: string; data: string };

export interface Cell {
  kind: "code" | "markdown" | "raw";
  source: string;
  count: number | null;
  outputs: Output[];
}

const MOST_CELLS = 2000;
const LONGEST = 200_000;
const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"];

/** The cells of a notebook, or null when the text is none. */
export function cellsOf(text: string): Cell[] | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  const cells = field(parsed, "cells");
  return Array.isArray(cells) ? cells.slice(0, MOST_CELLS).map(cell) : null;
}

function cell(value: unknown): Cell {
  const type = field(value, "cell_type");
  const count = field(value, "execution_count");
  const outputs = field(value, "outputs");
  return {
    kind: type === "markdown" || type === "raw" ? type : "code",
    source: joined(field(value, "source")),
    count: typeof count === "number" ? count : null,
    outputs: Array.isArray(outputs) ? outputs.slice(0, 500).flatMap(output) : [],
  };
}

function output(value: unknown): Output[] {
  const type = field(value, "output_type");
  if (type === "stream") return [{ kind: "text", text: joined(field(value, "text")), bad: field(value, "name") === "stderr" }];
  if (type === "error") {
    const trace = joined(field(value, "traceback"), "\n");
    const text = trace === "" ? `${joined(field(value, "ename"))}: ${joined(field(value, "evalue"))}` : trace;
    return [{ kind: "text", text, bad: true }];
  }
  const data = field(value, "data");
  for (const picture of PICTURES) {
    const found = joined(field(data, picture));
    if (found !== "") return [{ kind: "image", type: picture, data: found }];
  }
  const html = joined(field(data, "text/html"));
  if (html !== "") return [{ kind: "html", html }];
  const markdown = joined(field(data, "text/markdown"));
  if (markdown !== "") return [{ kind: "markdown", text: markdown }];
  const text = joined(field(data, "text/plain"));
  return text === "" ? [] : [{ kind: "text", text, bad: false }];
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** A notebook writes text as a string or as a list of lines. */
function joined(value: unknown, between = ""): string {
  const text = Array.isArray(value) ? value.filter((one) => typeof one === "string").join(between) : value;
  return typeof text === "string" ? (text.length > LONGEST && !/^[\w+/=\s]+$/.test(text.slice(0, 200)) ? `${text.slice(0, LONGEST)}\n… (cut)` : text) : "";
}
