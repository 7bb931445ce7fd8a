// The head of a page: its name, a line about it, and what can be done.
import { Title } from "@mantine/core";
import { useEffect, type ReactNode } from "react";

interface Props {
  title: ReactNode;
  /** The name in the browser's tab, where the title is no plain text. */
  name?: string;
  about?: ReactNode;
  children?: ReactNode;
}

export function PageHead({ title, name, about, children }: Props) {
  const text = name ?? (typeof title === "string" ? title : "");
  useEffect(() => {
    document.title = text === "" ? "Smalti" : `${text.slice(0, 80)} · Smalti`;
  }, [text]);
  return (
    <div className="page-head">
      <div className="grow">
        <Title order={1}>{title}</Title>
        {about !== undefined && <p>{about}</p>}
      </div>
      {children !== undefined && <div className="row">{children}</div>}
    </div>
  );
}
