// The colour of a curve beside its name.
import { lineClass } from "./colours";

export function Swatch({ index }: { index: number }) {
  return (
    <svg width="18" height="10" aria-hidden="true" className="swatch">
      <line x1="1" x2="17" y1="5" y2="5" className={`curve thick ${lineClass(index)}`} />
    </svg>
  );
}
