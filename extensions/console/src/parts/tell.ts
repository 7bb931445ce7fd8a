// Short notes at the edge of the page: what was done, or why it was not.
import { notifications } from "@mantine/notifications";

import { sentence, wordsOf } from "../api/errors";

/** Says that something was done. */
export function tellDone(text: string): void {
  notifications.show({ message: sentence(text), color: "teal", autoClose: 4000 });
}

/** Says that something failed, and why. */
export function tellProblem(error: unknown, what: string): void {
  notifications.show({ title: sentence(what), message: wordsOf(error), color: "red", autoClose: 9000 });
}
