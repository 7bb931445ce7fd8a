// CodeMirror, in a shadow root: there its styles are adopted sheets, which the page's policy allows
// without an exception. Loaded only where something is edited.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { markdown } from "@codemirror/lang-markdown";
import { python } from "@codemirror/lang-python";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";

import { endingOf } from "../viewers/kinds";

interface Props {
  name: string;
  value: string;
  onChange: (value: string) => void;
  onSave: () => void;
}

const colours = syntaxHighlighting(HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword], color: "var(--line-c)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--line-b)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
  { tag: [tags.function(tags.variableName), tags.definition(tags.variableName)], color: "var(--smalti)" },
  { tag: tags.heading, fontWeight: "700", color: "var(--smalti)" },
  { tag: tags.link, color: "var(--smalti)" },
]));

const looks = EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--code)", color: "var(--ink)", fontSize: "13.5px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--soft)", border: "none" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--smalti) 7%, transparent)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused": { outline: "2px solid var(--smalti)", outlineOffset: "-2px" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--smalti) 28%, transparent) !important" },
  ".cm-panels": { backgroundColor: "var(--card)", color: "var(--ink)" },
});

export function Editor({ name, value, onChange, onSave }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const acts = useRef({ onChange, onSave });
  useEffect(() => {
    acts.current = { onChange, onSave };
  });
  const language = languageOf(name);
  const first = useRef(value);
  useEffect(() => {
    const box = place.current;
    if (box === null) return;
    const root = box.shadowRoot ?? box.attachShadow({ mode: "open" });
    const inner = document.createElement("div");
    root.replaceChildren(inner);
    inner.style.height = "100%";
    const made = new EditorView({
      parent: inner,
      root,
      state: EditorState.create({ doc: view.current?.state.doc.toString() ?? first.current, extensions: extensions(language, acts) }),
    });
    view.current = made;
    return () => made.destroy();
  }, [language]);
  useEffect(() => {
    const editor = view.current;
    if (editor === null || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);
  return <div ref={place} className="editor" />;
}

type Acts = React.RefObject<{ onChange: (value: string) => void; onSave: () => void }>;

function extensions(language: string, acts: Acts): Extension[] {
  return [
    lineNumbers(), history(), drawSelection(), indentOnInput(), bracketMatching(), highlightActiveLine(),
    highlightSelectionMatches(), colours, looks, EditorState.tabSize.of(4),
    EditorView.contentAttributes.of({ tabindex: "0", "aria-label": "Text of the file. Escape, then Tab leaves it." }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) acts.current.onChange(update.state.doc.toString());
    }),
    keymap.of([
      { key: "Mod-s", preventDefault: true, run: () => { acts.current.onSave(); return true; } },
      ...defaultKeymap, ...historyKeymap, ...searchKeymap, indentWithTab,
    ]),
    ...(LANGUAGES[language]?.() ?? []),
  ];
}

const LANGUAGES: Record<string, () => Extension[]> = {
  python: () => [python()],
  markdown: () => [markdown()],
  json: () => [json()],
  yaml: () => [yaml()],
};

function languageOf(name: string): string {
  const endings: Record<string, string> = { py: "python", md: "markdown", json: "json", ipynb: "json", yml: "yaml", yaml: "yaml" };
  return endings[endingOf(name)] ?? "";
}
