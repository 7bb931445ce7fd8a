// The last runs that were given a secret.
import { Anchor, Popover, UnstyledButton } from "@mantine/core";
import { Link } from "react-router";

import type { Secret } from "../api/views";
import { Ago } from "../parts/Ago";
import { counted } from "../parts/format";

export function UsedBy({ uses }: { uses: Secret["used_by"] }) {
  if (uses.length === 0) return <span className="soft">no run yet</span>;
  return (
    <Popover position="bottom-start" width={340} shadow="md" trapFocus returnFocus>
      <Popover.Target><UnstyledButton className="linkish">{counted(uses.length, "run")}</UnstyledButton></Popover.Target>
      <Popover.Dropdown>
        <strong className="small">The last runs that were given it</strong>
        <ul className="plain lines small" style={{ marginTop: 8 }}>
          {uses.map((use) => (
            <li key={`${use.kind}-${use.id}`} className="row spread tight">
              {use.kind === "job" ? <Anchor component={Link} to={`/jobs/${use.id}`} inherit>a job of {use.person.name}</Anchor> : <span>a workspace of {use.person.name}</span>}
              <span className="soft"><Ago time={use.at} /></span>
            </li>
          ))}
        </ul>
      </Popover.Dropdown>
    </Popover>
  );
}
