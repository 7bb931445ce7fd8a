// What a line of a log looks like: colours that programs write as escape codes become class names,
// every other code is left out, and what is no text becomes a mark. Pure.

export interface Span {
  text: string;
  style: string;
}

const LONGEST = 5000;
/* eslint-disable no-control-regex -- control codes are what this is about */
const CODE = /\x1b\[([0-9;?]*)([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]?/g;
const NO_TEXT = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g;
/* eslint-enable no-control-regex */

/** The visible text of a line: after its last carriage return, without codes, not too long. */
export function visible(line: string): string {
  return cut(plain(line));
}

/** A line without its codes: what is searched. */
export function plain(line: string): string {
  return afterReturn(line).replace(CODE, "").replace(NO_TEXT, "\u00b7");
}

/** A line as pieces of one style each. */
export function spans(line: string): Span[] {
  const text = afterReturn(line).slice(0, 4 * LONGEST);
  if (!text.includes("\x1b")) return [{ text: cut(text.replace(NO_TEXT, "\u00b7")), style: "" }];
  const found: Span[] = [];
  const style = new Style();
  let end = 0;
  let length = 0;
  const add = (piece: string) => {
    const shown = piece.replace(NO_TEXT, "\u00b7").slice(0, LONGEST - length);
    length += shown.length;
    if (shown !== "") found.push({ text: shown, style: style.names() });
  };
  for (const match of text.matchAll(CODE)) {
    add(text.slice(end, match.index));
    end = match.index + match[0].length;
    if (match[2] === "m") style.apply(match[1] ?? "");
  }
  add(text.slice(end));
  if (length >= LONGEST) found.push({ text: " … (cut: download the log for all of it)", style: "a-dim" });
  return found;
}

function afterReturn(line: string): string {
  const whole = line.endsWith("\r") ? line.slice(0, -1) : line;
  return whole.slice(whole.lastIndexOf("\r") + 1);
}

function cut(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)} … (cut: download the log for all of it)`;
}

class Style {
  private colour: number | null = null;
  private readonly flags = new Set<string>();

  apply(codes: string): void {
    const numbers = codes === "" ? [0] : codes.split(";").map(Number);
    for (let i = 0; i < numbers.length; i += 1) {
      const code = numbers[i] ?? 0;
      if (code === 38 || code === 48) {
        i += numbers[i + 1] === 5 ? 2 : 4; // 256 or true colours: not shown
      } else if (code === 0) {
        this.colour = null;
        this.flags.clear();
      } else this.one(code);
    }
  }

  private one(code: number): void {
    const names: Record<number, string> = { 1: "a-bold", 2: "a-dim", 3: "a-italic", 4: "a-under" };
    const name = names[code];
    if (name !== undefined) this.flags.add(name);
    else if (code === 22) {
      this.flags.delete("a-bold");
      this.flags.delete("a-dim");
    } else if (code === 23) this.flags.delete("a-italic");
    else if (code === 24) this.flags.delete("a-under");
    else if (code >= 30 && code <= 37) this.colour = code - 30;
    else if (code >= 90 && code <= 97) this.colour = code - 90;
    else if (code === 39) this.colour = null;
  }

  names(): string {
    return [...this.flags, ...(this.colour === null ? [] : [`a-${this.colour}`])].join(" ");
  }
}
