// Shows a file in the way that fits it. What cannot be shown safely or quickly is said to be so,
// and can be downloaded. Nothing in a file is ever run or becomes markup of this page.
import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";

import { raw } from "../api/client";
import { Loading } from "../parts/Loading";
import { Shown } from "../parts/Shown";
import { bytes } from "../parts/format";
import { CsvView } from "./CsvView";
import { ImageView } from "./ImageView";
import { TextView } from "./TextView";
import { looksBinary, wayOf, type Kind } from "./kinds";

const MarkdownView = lazy(async () => ({ default: (await import("./MarkdownView")).MarkdownView }));
const NotebookView = lazy(async () => ({ default: (await import("./NotebookView")).NotebookView }));

interface Props {
  /** The API's address of the content. */
  address: string;
  name: string;
  size: number;
  /** Changes when the content does. */
  version: string;
  /** Where pictures that a Markdown file names are found. */
  beside?: (path: string) => string;
}

export function Preview({ address, name, size, version, beside }: Props) {
  const way = wayOf(name);
  const fits = way !== null && size <= way.most;
  const query = useQuery({
    queryKey: ["content", address, version],
    queryFn: async ({ signal }) => new Uint8Array(await (await raw(address, { signal })).arrayBuffer()),
    enabled: fits,
    staleTime: Infinity,
    gcTime: 60_000,
  });
  if (way === null) return <NotShown address={address} name={name} why={`There is no preview for this kind of file (${bytes(size)}).`} />;
  if (!fits) return <NotShown address={address} name={name} why={`It is too large to be shown here (${bytes(size)}).`} />;
  return (
    <Shown query={query} what="the file">
      {(content) => (
        <Suspense fallback={<Loading what="the viewer" />}>
          <View kind={way.kind} content={content} name={name} address={address} {...(beside === undefined ? {} : { beside })} />
        </Suspense>
      )}
    </Shown>
  );
}

function View({ kind, content, name, address, beside }: {
  kind: Kind; content: Uint8Array<ArrayBuffer>; name: string; address: string; beside?: (path: string) => string;
}) {
  if (kind === "image") return <ImageView content={content} name={name} address={address} />;
  if (looksBinary(content)) return <NotShown address={address} name={name} why="This is not text." />;
  const text = new TextDecoder().decode(content);
  switch (kind) {
    case "csv": return <CsvView text={text} separator={name.toLowerCase().endsWith(".tsv") ? "\t" : ","} />;
    case "markdown": return <MarkdownView text={text} {...(beside === undefined ? {} : { beside })} />;
    case "notebook": return <NotebookView text={text} />;
    default: return <TextView text={text} />;
  }
}

export function NotShown({ address, name, why }: { address: string; name: string; why: string }) {
  return (
    <div className="empty">
      <p>{why}</p>
      <Anchor href={address} download={name.slice(name.lastIndexOf("/") + 1)}>Download it</Anchor>
    </div>
  );
}
