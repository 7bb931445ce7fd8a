// A note of something done that can be taken back from the note itself.
import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";

import { sentence } from "../api/errors";

const LONG_ENOUGH = 12_000;

/** Says that something was done; offers to undo it for some seconds. */
export function tellWithUndo(text: string, undo: () => void): void {
  const id = crypto.randomUUID();
  notifications.show({
    id,
    color: "teal",
    autoClose: LONG_ENOUGH,
    message: (
      <span className="row spread">
        <span className="grow wrap">{sentence(text)}</span>
        <Button size="compact-sm" variant="default" onClick={() => { notifications.hide(id); undo(); }}>Undo</Button>
      </span>
    ),
  });
}
