// What an account may be called, and the roles on the platform. Pure.
import type { PlatformRole } from "../api/views";

export const MEANING: Record<PlatformRole, string> = {
  admin: "runs the platform: sees and changes everything",
  support: "sees everything that runs, changes nothing",
  librarian: "keeps environments for everybody",
  practitioner: "makes projects and works in them",
  lite: "works in projects that others have made",
};

export const ROLES = Object.keys(MEANING) as PlatformRole[];

/** Says what is wrong with the name of an account; null when it will do. The hub's own rule. */
export function wrongInAccountName(name: string): string | null {
  if (name === "") return "An account needs a name.";
  if (!/^[a-z0-9]/.test(name)) return "It begins with a lower-case letter or a digit.";
  if (!/^[a-z0-9._-]*$/.test(name)) return "Lower-case letters, digits and '._-'.";
  return name.length > 63 ? "A name has at most 63 characters." : null;
}
