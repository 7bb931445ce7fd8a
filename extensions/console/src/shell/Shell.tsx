// What stands around every page: navigation, banners, the command palette, the event stream.
import { useState } from "react";
import { Outlet, useNavigation } from "react-router";

import { useLive } from "../live/useLive";
import { Banner } from "./Banner";
import { Rail } from "./Rail";
import { TopBar } from "./TopBar";
import { Palette } from "../search/Palette";

export function Shell() {
  useLive();
  const [open, setOpen] = useState(false);
  const going = useNavigation().state === "loading";
  return (
    <>
      <a className="skip" href="#content">Skip to the content</a>
      {going && <div className="going" role="status">Loading the page …</div>}
      <div className="shell">
        <TopBar open={open} onToggle={() => setOpen(!open)} />
        <Rail open={open} onClose={() => setOpen(false)} />
        <div>
          <Banner />
          <main className="content" id="content" tabIndex={-1}>
            <Outlet />
          </main>
        </div>
      </div>
      <Palette />
    </>
  );
}
