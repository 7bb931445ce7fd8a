// Searching a log: how often, and going from one place to the next.
import { ActionIcon, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useEffect, useMemo, useState } from "react";

import { plain } from "./ansi";
import { search, type Lines } from "./lines";
import { IconChevronDown, IconChevronUp, IconSearch } from "../parts/icons";

interface Props {
  lines: Lines;
  onShow: (index: number | null, all: Set<number>) => void;
}

export function LogSearch({ lines, onShow }: Props) {
  const [text, setText] = useState("");
  const [wanted] = useDebouncedValue(text, 200);
  const [at, setAt] = useState(0);
  const [version] = useDebouncedValue(lines.version, 500);
  // eslint-disable-next-line react-hooks/exhaustive-deps -- `version` says that `lines` has grown
  const found = useMemo(() => search(lines, wanted, plain), [lines, version, wanted]);
  useEffect(() => {
    setAt(0);
    onShow(found[0] ?? null, new Set(found));
    // eslint-disable-next-line react-hooks/exhaustive-deps -- goes to the first place of a new text only
  }, [wanted]);
  const go = (step: number) => {
    if (found.length === 0) return;
    const next = (at + step + found.length) % found.length;
    setAt(next);
    onShow(found[next] ?? null, new Set(found));
  };
  return (
    <div className="row tight" role="search">
      <TextInput size="xs" w={210} placeholder="Search the log" aria-label="Search the log" value={text}
        leftSection={<IconSearch size={14} />} onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => { if (event.key === "Enter") go(event.shiftKey ? -1 : 1); }} />
      {wanted !== "" && (
        <>
          <span className="soft small number" role="status">{found.length === 0 ? "not found" : `${at + 1} of ${found.length}`}</span>
          <ActionIcon size="md" variant="default" aria-label="The one before" disabled={found.length === 0} onClick={() => go(-1)}><IconChevronUp size={14} /></ActionIcon>
          <ActionIcon size="md" variant="default" aria-label="The next one" disabled={found.length === 0} onClick={() => go(1)}><IconChevronDown size={14} /></ActionIcon>
        </>
      )}
    </div>
  );
}
