// What an alias may be called: MLflow's own rule, said before it has to. Pure.

const ALIAS = /^[\w-]+$/;

/** Says what is wrong with an alias; null when it will do. */
export function wrongInAlias(alias: string): string | null {
  if (alias === "") return "An alias needs a name.";
  if (!ALIAS.test(alias)) return "Letters, digits, hyphens and underscores.";
  if (alias.toLowerCase() === "latest") return "latest always means the newest version.";
  if (/^v\d+$/i.test(alias)) return "v and a number would be taken for a version.";
  return null;
}
