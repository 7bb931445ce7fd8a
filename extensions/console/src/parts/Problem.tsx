// A failure, in words, with what can be done about it.
import { Button } from "@mantine/core";

import { ApiError, wordsOf } from "../api/errors";

interface Props {
  error: unknown;
  /** What could not be done: "The jobs could not be loaded". */
  what?: string;
  again?: () => void;
}

export function Problem({ error, what, again }: Props) {
  const known = error instanceof ApiError ? error : null;
  if (known?.status === 403) {
    return (
      <div className="empty" role="alert">
        <h3>This is not for your role</h3>
        <p>{known.message} Somebody with more rights can give them to you.</p>
      </div>
    );
  }
  if (known?.status === 404) {
    return (
      <div className="empty" role="alert">
        <h3>There is nothing here</h3>
        <p>{known.message} It may be gone, or you may not see it.</p>
      </div>
    );
  }
  return (
    <div className="empty" role="alert">
      <h3>{what ?? "That did not work"}</h3>
      <p>{wordsOf(error)}</p>
      {known?.requestId != null && <p className="small">Request {known.requestId}</p>}
      {again !== undefined && (
        <Button variant="default" onClick={again}>Try again</Button>
      )}
    </div>
  );
}
