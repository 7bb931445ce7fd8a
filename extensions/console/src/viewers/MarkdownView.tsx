// Markdown as elements: HTML in it is shown as the text that it is, and links leave by a new tab.
import { useQuery } from "@tanstack/react-query";
import Markdown, { defaultUrlTransform } from "react-markdown";
import remarkGfm from "remark-gfm";

import { raw } from "../api/client";
import { ImageView } from "./ImageView";

const LARGEST = 20 << 20; // bytes of a picture

interface Props {
  text: string;
  beside?: (path: string) => string;
}

export function MarkdownView({ text, beside }: Props) {
  return (
    <div className="prose">
      <Markdown
        remarkPlugins={[remarkGfm]}
        urlTransform={defaultUrlTransform}
        components={{
          a: ({ href, children }) => href === undefined || href.startsWith("#")
            ? <span>{children}</span>
            : /^https?:|^mailto:/.test(href)
              ? <a href={href} target="_blank" rel="noopener noreferrer nofollow">{children}</a>
              : <code>{children}</code>,
          img: ({ src, alt }) => typeof src !== "string" || src === "" || /^[a-z]+:|^\/\//i.test(src) || beside === undefined
            ? <span className="soft">[picture: {alt === undefined || alt === "" ? "without a name" : alt}]</span>
            : <Picture address={beside(src)} name={src} />,
          // One page has one first heading: those of a text begin one lower.
          h1: ({ children }) => <h2>{children}</h2>,
          h2: ({ children }) => <h3>{children}</h3>,
          h3: ({ children }) => <h4>{children}</h4>,
          pre: ({ children }) => <pre tabIndex={0}>{children}</pre>,
        }}
      >
        {text}
      </Markdown>
    </div>
  );
}

/** A picture beside the file; one from elsewhere is never asked for. */
function Picture({ address, name }: { address: string; name: string }) {
  const query = useQuery({
    queryKey: ["content", address, ""],
    queryFn: async ({ signal }) => {
      const answer = await raw(address, { signal });
      if (Number(answer.headers.get("Content-Length") ?? 0) <= LARGEST) return new Uint8Array(await answer.arrayBuffer());
      await answer.body?.cancel();
      return null;
    },
    staleTime: 60_000,
  });
  if (query.data === undefined || query.data === null) return <span className="soft">[picture: {name}]</span>;
  return <ImageView content={query.data} name={name} address={address} />;
}
