// Where one is among the files; each part leads to its folder.
import { Anchor } from "@mantine/core";
import { Fragment } from "react";
import { Link } from "react-router";

import { fileAddress } from "./address";

export function PathLine({ projectId, name, path, gitRef }: { projectId: string; name: string; path: string; gitRef: string | null }) {
  const parts = path === "" ? [] : path.split("/");
  return (
    <nav aria-label="Path" className="wrap">
      <Anchor component={Link} to={fileAddress(projectId, "", gitRef)} fw={600}>{name}</Anchor>
      {parts.map((part, index) => (
        <Fragment key={index}>
          <span className="soft"> / </span>
          {index === parts.length - 1 ? <strong aria-current="page">{part}</strong>
            : <Anchor component={Link} to={fileAddress(projectId, parts.slice(0, index + 1).join("/"), gitRef)}>{part}</Anchor>}
        </Fragment>
      ))}
    </nav>
  );
}
