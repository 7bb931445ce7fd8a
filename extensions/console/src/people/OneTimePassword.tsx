// A one-time password as it is told: now, and never again.
import { CopyLine } from "../parts/CopyLine";

export function OneTimePassword({ name, password }: { name: string; password: string }) {
  return (
    <div className="stack">
      <div className="notice good" role="status">
        Tell it to {name} yourself: it is shown only now. It opens one page, on which {name} chooses a password of their own.
      </div>
      <CopyLine name="the one-time password" text={password} />
      <CopyLine name="the address to log in at" text={`${location.origin}/`} />
    </div>
  );
}
