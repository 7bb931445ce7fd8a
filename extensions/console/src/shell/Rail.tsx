// The navigation at the side; on a narrow screen it covers the page while it is open.
import { ActionIcon, Kbd, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { NavLink } from "react-router";

import { PREFIX } from "../api/client";
import { meQuery, watches } from "../people/queries";
import { openPalette } from "../search/palette";
import { AccountMenu } from "./AccountMenu";
import {
  IconActivityHeartbeat, IconBox, IconFolders, IconHistory, IconHome, IconKey, IconListDetails, IconLock,
  IconPlayerPlay, IconServer, IconStack2, IconTerminal, IconUsers, IconX, IconSearch, type Icon,
} from "../parts/icons";

const PAGES: [string, string, Icon][] = [
  ["/", "Overview", IconHome],
  ["/projects", "Projects", IconFolders],
  ["/jobs", "Jobs", IconPlayerPlay],
  ["/workspaces", "Workspaces", IconTerminal],
  ["/environments", "Environments", IconBox],
  ["/secrets", "Secrets", IconLock],
  ["/tokens", "Tokens", IconKey],
];

const ADMIN: [string, string, Icon][] = [
  ["/admin/people", "People", IconUsers],
  ["/admin/executions", "Executions", IconListDetails],
  ["/admin/tiers", "Hardware tiers", IconStack2],
  ["/admin/planes", "Data planes", IconServer],
  ["/admin/audit", "Audit trail", IconHistory],
  ["/admin/health", "Health", IconActivityHeartbeat],
];

export function Rail({ open, onClose }: { open: boolean; onClose: () => void }) {
  const me = useQuery(meQuery);
  return (
    <div className={`rail${open ? " open" : ""}`}>
      <div className="row spread">
        <NavLink className="brand" to="/" onClick={onClose}>
          <img src={`${PREFIX}/static/icon.svg`} alt="" width="28" height="28" />
          Smalti
        </NavLink>
        {open && (
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Close the navigation" onClick={onClose}>
            <IconX size={20} />
          </ActionIcon>
        )}
      </div>
      <UnstyledButton className="row spread code" onClick={() => { onClose(); openPalette(); }}>
        <span className="row tight soft"><IconSearch size={16} aria-hidden="true" /> Search</span>
        <Kbd size="xs">Ctrl K</Kbd>
      </UnstyledButton>
      <nav aria-label="Pages"><Links pages={PAGES} onGo={onClose} /></nav>
      {watches(me.data) && (
        <nav aria-label="Administration">
          <p className="nav-title">Administration</p>
          <Links pages={ADMIN} onGo={onClose} />
        </nav>
      )}
      <div className="rail-foot">
        <AccountMenu me={me.data} />
      </div>
    </div>
  );
}

function Links({ pages, onGo }: { pages: [string, string, Icon][]; onGo: () => void }) {
  return (
    <ul className="nav">
      {pages.map(([to, name, Sign]) => (
        <li key={to}>
          <NavLink to={to} end={to === "/"} onClick={onGo}>
            <Sign size={18} aria-hidden="true" />
            {name}
          </NavLink>
        </li>
      ))}
    </ul>
  );
}
