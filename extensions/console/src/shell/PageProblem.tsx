// A page that failed to load or to be drawn; the navigation around it stays.
import { Button } from "@mantine/core";
import { isRouteErrorResponse, useRouteError } from "react-router";

import { NoSuchPage } from "./NoSuchPage";

export function PageProblem() {
  const error = useRouteError();
  if (isRouteErrorResponse(error) && error.status === 404) return <NoSuchPage />;
  return (
    <div className="card empty" role="alert">
      <h2>This page failed</h2>
      <p>
        It could not be loaded or drawn. Loading it again helps after an update of Smalti, or when the
        connection was lost for a moment.
      </p>
      <Button onClick={() => location.reload()}>Load again</Button>
    </div>
  );
}
