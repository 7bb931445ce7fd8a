// A Jupyter notebook, as it was saved: its cells and their outputs. Nothing in it is run.
import { useMemo } from "react";

import { spans } from "../logs/ansi";
import { Empty } from "../parts/Empty";
import { ImageView } from "./ImageView";
import { MarkdownView } from "./MarkdownView";
import { SafeHtml } from "./SafeHtml";
import { cellsOf, type Cell, type Output } from "./notebook";

export function NotebookView({ text }: { text: string }) {
  const cells = useMemo(() => cellsOf(text), [text]);
  if (cells === null) return <Empty title="This cannot be read as a notebook"><p>It may be cut off or of a very old form.</p></Empty>;
  if (cells.length === 0) return <Empty title="A notebook without cells" />;
  return (
    <div className="stack">
      {cells.map((cell, index) => <CellView key={index} cell={cell} />)}
    </div>
  );
}

function CellView({ cell }: { cell: Cell }) {
  if (cell.kind === "markdown") return <MarkdownView text={cell.source} />;
  return (
    <div className="stack" style={{ gap: 8 }}>
      {cell.source !== "" && (
        <div>
          {cell.kind === "code" && <div className="soft small">In [{cell.count ?? " "}]</div>}
          <pre className="code" tabIndex={0}>{cell.source}</pre>
        </div>
      )}
      {cell.outputs.map((output, index) => <OutputView key={index} output={output} />)}
    </div>
  );
}

function OutputView({ output }: { output: Output }) {
  switch (output.kind) {
    case "html": return <SafeHtml html={output.html} />;
    case "markdown": return <MarkdownView text={output.text} />;
    case "image": return <SavedPicture type={output.type} data={output.data} />;
    default:
      return (
        <pre className={`code wraps${output.bad ? " notice bad" : ""}`} tabIndex={0}>
          {output.text.split("\n").map((line, index) => (
            <span key={index}>
              {index > 0 && "\n"}
              {spans(line).map((span, at) => <span key={at} className={span.style}>{span.text}</span>)}
            </span>
          ))}
        </pre>
      );
  }
}

function SavedPicture({ type, data }: { type: string; data: string }) {
  const content = useMemo(() => (type === "image/svg+xml" ? new TextEncoder().encode(data) : decoded(data)), [type, data]);
  const ending = type === "image/svg+xml" ? "svg" : type.replace("image/", "");
  if (content === null) return <p className="soft">[a picture that cannot be read]</p>;
  return <ImageView content={content} name={`output.${ending}`} address="#" />;
}

function decoded(data: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(data.replaceAll(/\s/g, "")), (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}
