// What a secret may be called: said before the API has to. Pure.

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const LONGEST = 128;
const RESERVED = /^(SMALTI_|MLFLOW_|JUPYTERHUB_|LD_|PYTHON)/i; // the API knows some more

/** Says what is wrong with a name; null when it will do as far as is known here. */
export function wrongInSecretName(name: string): string | null {
  if (name === "") return "A secret needs a name.";
  if (name.length > LONGEST) return `A name has at most ${LONGEST} characters.`;
  if (!NAME.test(name)) return "Letters, digits and underscores; it does not begin with a digit.";
  if (RESERVED.test(name)) return `${RESERVED.exec(name)?.[0] ?? ""}… has a meaning of its own in runs: choose another name.`;
  return null;
}

/** A value as a run gets it: one line loses its line end, several lines stay as they are. */
export function valueOf(typed: string): string {
  const without = typed.replace(/\r\n/g, "\n").replace(/\n$/, "");
  return without.includes("\n") ? typed.replace(/\r\n/g, "\n") : without;
}
