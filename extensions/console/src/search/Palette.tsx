// Ctrl-K: goes to any page, project, job, workspace, file or model by a few letters of its name.
import { Modal, TextInput } from "@mantine/core";
import { useDebouncedValue, useHotkeys } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState, type KeyboardEvent } from "react";
import { useNavigate } from "react-router";

import { meQuery, watches } from "../people/queries";
import { onOpenPalette } from "./palette";
import { usePlaces } from "./places";

export function Palette() {
  const [opened, setOpened] = useState(false);
  useHotkeys([["mod+K", () => setOpened(true)]], []);
  useEffect(() => onOpenPalette(() => setOpened(true)), []);
  return (
    <Modal opened={opened} onClose={() => setOpened(false)} withCloseButton={false} size="lg" yOffset="12vh" centered={false} padding="md"
      attributes={{ content: { "aria-label": "Search" } }} transitionProps={{ duration: 80 }}>
      {opened && <Search onDone={() => setOpened(false)} />}
    </Modal>
  );
}

function Search({ onDone }: { onDone: () => void }) {
  const [text, setText] = useState("");
  const [wanted] = useDebouncedValue(text.trim(), 150);
  const [at, setAt] = useState(0);
  const navigate = useNavigate();
  const admin = watches(useQuery(meQuery).data);
  const { places, busy: asking } = usePlaces(text.trim(), wanted, admin);
  const busy = asking || wanted !== text.trim();
  const chosen = Math.min(at, Math.max(0, places.length - 1));
  const go = (index: number) => {
    const place = places[index];
    if (place === undefined) return;
    onDone();
    void navigate(place.to);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt(Math.min(places.length - 1, chosen + 1));
    else if (event.key === "ArrowUp") setAt(Math.max(0, chosen - 1));
    else if (event.key === "Enter") go(chosen);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <TextInput data-autofocus aria-label="Search pages, projects, jobs, workspaces, files and models" placeholder="Go to a page, project, job, workspace, file or model" value={text} size="md"
        role="combobox" aria-expanded="true" aria-controls="palette-list" aria-autocomplete="list"
        aria-activedescendant={places.length === 0 ? undefined : `palette-${chosen}`} maxLength={200}
        onChange={(event) => { setText(event.currentTarget.value); setAt(0); }} onKeyDown={onKey} />
      <div id="palette-list" className="palette-list" role="listbox" aria-label="Results">
        {places.map((place, index) => (
          <div key={place.key} id={`palette-${index}`} role="option" aria-selected={index === chosen} className="palette-option" tabIndex={-1}
            onPointerMove={() => setAt(index)} onClick={() => go(index)}
            onKeyDown={(event) => { if (event.key === "Enter") go(index); }}
            ref={(element) => { if (index === chosen) element?.scrollIntoView({ block: "nearest" }); }}>
            <span className="tag">{place.kind}</span>
            <span className="grow clip">{place.name}</span>
            {place.note !== "" && <span className="soft small nowrap">{place.note}</span>}
          </div>
        ))}
      </div>
      <p className="soft small" role="status" style={{ margin: "8px 0 0" }}>{busy ? "Looking …" : places.length === 0 ? "Nothing is called like this." : ""}</p>
    </>
  );
}
