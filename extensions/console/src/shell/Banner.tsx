// Says, above every page, that the platform is away or that the session has ended. The page under
// it stays as it is: nothing that was typed is lost.
import { Anchor, Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useLocation } from "react-router";

import { PREFIX } from "../api/client";
import { useReach } from "../api/reach";

export function Banner() {
  const { away, signedOut } = useReach();
  const queries = useQueryClient();
  const here = useLocation();
  if (away) {
    return (
      <div className="banner notice wait" role="status">
        Smalti does not answer. It may be restarting; this page connects again by itself.
      </div>
    );
  }
  if (signedOut) {
    const next = encodeURIComponent(`${PREFIX}${here.pathname}`);
    return (
      <div className="banner notice wait row" style={{ justifyContent: "center" }} role="alert">
        <span>
          Your session has ended.{" "}
          <Anchor href={`${PREFIX}/login?next=${next}`} target="_blank" rel="opener" inherit underline="always" c="inherit">
            Log in in a new tab
          </Anchor>
          {" "}and go on here: what you typed stays.
        </span>
        <Button size="compact-sm" variant="default" onClick={() => void queries.invalidateQueries()}>
          I have logged in
        </Button>
      </div>
    );
  }
  return null;
}
