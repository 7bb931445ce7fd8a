// The end of a list that goes on.
import { Button } from "@mantine/core";

interface Props {
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
}

export function MoreButton({ query }: Props) {
  if (!query.hasNextPage) return null;
  return (
    <div className="row" style={{ justifyContent: "center", padding: 12 }}>
      <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
        Show more
      </Button>
    </div>
  );
}
