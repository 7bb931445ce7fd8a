// How wide a chart may be: charts are drawn in real pixels, so that their words stay readable.
import { useElementSize } from "@mantine/hooks";

const BEFORE = 640; // until it has been measured

export function useWidth() {
  const { ref, width } = useElementSize<HTMLDivElement>();
  return { ref, width: width > 0 ? Math.max(260, Math.floor(width)) : BEFORE };
}
