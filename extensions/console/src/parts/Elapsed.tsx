// How long something took, or takes until now.
import { useNow } from "./clock";
import { duration } from "./format";

export function Elapsed({ from, to }: { from: string | null; to: string | null }) {
  const now = useNow(1000);
  if (from === null) return <span className="soft">–</span>;
  const end = to === null ? now : Date.parse(to);
  return <span className="nowrap">{duration((end - Date.parse(from)) / 1000)}</span>;
}
