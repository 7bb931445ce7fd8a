// The one place where text becomes markup: tables and formatted text of a notebook's outputs.
// What is not on the short list below is taken out; no styles, classes, ids, pictures or addresses.
import DOMPurify from "dompurify";
import { useMemo } from "react";

const TAGS = [
  "table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption", "p", "br", "hr", "b", "strong", "i", "em",
  "u", "s", "sub", "sup", "code", "pre", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "span", "div",
  "blockquote", "dl", "dt", "dd", "small",
];
const ATTRIBUTES = ["colspan", "rowspan", "scope"];

const TAG = /<[a-z][^>]*>/gi;
const REFUSED = /([\s/"'])(on\w+|style|srcdoc|src|data|href)(?=\s*=)/gi;
const SHEET = /<style\b[\s\S]*?(<\/style\s*>|$)/gi;

/** Leaves of a piece of HTML what can do nothing. */
export function cleaned(html: string): string {
  // A browser complains of handlers and styles that it meets and refuses while it only reads; that
  // would hide complaints that matter. Safety does not rest on these lines.
  const quiet = html.replace(SHEET, "").replace(TAG, (tag) => tag.replace(REFUSED, "$1data-off"));
  return DOMPurify.sanitize(quiet, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    FORBID_CONTENTS: ["style", "script", "template", "noscript", "iframe", "svg", "math"],
  });
}

export function SafeHtml({ html }: { html: string }) {
  const clean = useMemo(() => cleaned(html), [html]);
  // eslint-disable-next-line no-restricted-syntax -- cleaned in the line above
  return <div className="rich" dangerouslySetInnerHTML={{ __html: clean }} />;
}
