// The bar over the page on a narrow screen.
import { Burger, ActionIcon } from "@mantine/core";
import { Link } from "react-router";

import { PREFIX } from "../api/client";
import { openPalette } from "../search/palette";
import { IconSearch } from "../parts/icons";

export function TopBar({ open, onToggle }: { open: boolean; onToggle: () => void }) {
  return (
    <div className="top">
      <Burger opened={open} onClick={onToggle} size="sm" aria-label="Navigation" aria-expanded={open} />
      <Link className="brand grow" to="/">
        <img src={`${PREFIX}/static/icon.svg`} alt="" width="24" height="24" />
        Smalti
      </Link>
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Search" onClick={openPalette}>
        <IconSearch size={20} />
      </ActionIcon>
    </div>
  );
}
