// Waiting, and for what. Shown only after a moment, so that quick answers do not flicker.
import { Loader } from "@mantine/core";
import { useEffect, useState } from "react";

export function Loading({ what }: { what: string }) {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), 200);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="empty" role="status" aria-live="polite">
      {shown && (
        <>
          <Loader size="sm" aria-hidden="true" />
          <p>Loading {what} …</p>
        </>
      )}
    </div>
  );
}
