// The nonce that this answer's policy allows styles with; the page carries it on its own tags.
import { setNonce } from "get-nonce";

const NAME = 'meta[property="csp-nonce"]';

/** Reads the nonce and gives it to the parts that add styles. */
export function styleNonce(): string {
  const value = document.querySelector<HTMLMetaElement>(NAME)?.nonce ?? "";
  setNonce(value);
  return value;
}
