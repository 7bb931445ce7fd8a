// Lists in pages: each page is asked for when it is wanted, none before.
import { infiniteQueryOptions, type InfiniteData, type QueryKey } from "@tanstack/react-query";

import type { Page } from "./views";

export const PAGE_SIZE = 50;

/** Options of a list that `load` gives page by page, by cursor. */
export function listOptions<T>(
  key: QueryKey,
  load: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<T>>,
) {
  return infiniteQueryOptions({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => load(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Page<T>) => last.next_cursor ?? undefined,
  });
}

/** Everything that is loaded of a list. */
export function itemsOf<T>(data: InfiniteData<Page<T>> | undefined): T[] {
  return data?.pages.flatMap((page) => page.items) ?? [];
}

/** Loads all pages of a list that is known to be short, at most `most` entries. */
export async function whole<T>(
  load: (cursor: string | undefined) => Promise<Page<T>>,
  most = 1000,
): Promise<T[]> {
  const found: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await load(cursor);
    found.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && found.length < most);
  return found;
}
