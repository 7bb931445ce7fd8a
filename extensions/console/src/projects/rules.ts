// What a project may be called: the API's own rule, said before it has to. Pure.

const NAME = /^[a-z0-9][a-z0-9._-]*$/;
const LONGEST = 64;

/** Says what is wrong with a name; null when it will do. */
export function wrongInName(name: string): string | null {
  if (name === "") return "A project needs a name.";
  if (name.length > LONGEST) return `A name has at most ${LONGEST} characters.`;
  if (!NAME.test(name)) return "Lower-case letters, digits and '._-'; it begins with a letter or digit.";
  if (name.includes("..") || /(\.|\.git|\.lock)$/.test(name)) return "No '..', and no '.', '.git' or '.lock' at the end.";
  return null;
}
