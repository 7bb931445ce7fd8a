// What happens in a running workspace, when it would be ended for want of it, and the lease.
import { Button, Menu, Title } from "@mantine/core";

import type { Workspace } from "../api/views";
import { Ago } from "../parts/Ago";
import { IconChevronDown } from "../parts/icons";
import { useNow } from "../parts/clock";
import { exact } from "../parts/format";
import { endsSoon, kept } from "./rules";
import { useWorkspaceVerbs } from "./verbs";

const HOURS: [number, string][] = [[1, "an hour"], [4, "4 hours"], [8, "8 hours"], [24, "a day"], [72, "3 days"], [167, "a week"]];

export function EndCard({ workspace, own }: { workspace: Workspace; own: boolean }) {
  const now = useNow();
  const verbs = useWorkspaceVerbs(workspace);
  const held = kept(workspace, now);
  const soon = endsSoon(workspace, now) !== null;
  return (
    <section className="card" aria-label="Activity">
      <Title order={2}>Activity</Title>
      {soon && <div className="notice wait spaced" role="alert"><strong>It ends <Ago time={workspace.ends_at ?? ""} /></strong> unless something happens in it. Open it, or keep it.</div>}
      <dl className="facts">
        <dt>Works</dt><dd>{workspace.busy ?? "nothing just now"}</dd>
        <dt>Last activity</dt><dd>{workspace.last_activity_at === null ? "none yet" : <Ago time={workspace.last_activity_at} />}</dd>
        <dt>Ends by itself</dt>
        <dd>
          {workspace.ends_at === null ? (held ? "not while it is kept" : "not while something works in it")
            : <>{exact(workspace.ends_at)} (<Ago time={workspace.ends_at} />), if nothing more happens</>}
        </dd>
        {workspace.keep_until !== null && held && <><dt>Kept until</dt><dd>{exact(workspace.keep_until)} (<Ago time={workspace.keep_until} />)</dd></>}
      </dl>
      {own && (
        <div className="row" style={{ marginTop: 14 }}>
          <Menu position="bottom-start" width={200}>
            <Menu.Target>
              <Button variant="default" size="sm" loading={verbs.keep.isPending} rightSection={<IconChevronDown size={14} />}>{held ? "Keep longer" : "Keep it running"}</Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Label>Whatever happens, for</Menu.Label>
              {HOURS.map(([hours, name]) => (
                <Menu.Item key={hours} onClick={() => verbs.keep.mutate(new Date(Date.now() + hours * 3_600_000).toISOString())}>{name}</Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
          {held && <Button variant="subtle" color="gray" size="sm" onClick={() => verbs.keep.mutate(null)}>Keep it no longer</Button>}
        </div>
      )}
    </section>
  );
}
