// Who one is here.
import { Anchor, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { PageHead } from "../parts/PageHead";
import { Shown } from "../parts/Shown";
import { meQuery } from "./queries";
import { MEANING } from "./rules";

export function ProfilePage() {
  return (
    <>
      <PageHead title="Profile" />
      <Shown query={useQuery(meQuery)} what="your profile">
        {(me) => (
          <section className="card" style={{ maxWidth: 640 }} aria-label="Profile">
            <Title order={2}>{me.name}</Title>
            <dl className="facts">
              <dt>Roles</dt><dd>{me.roles.length === 0 ? "none" : me.roles.map((role) => <div key={role}><strong>{role}</strong> <span className="soft">{MEANING[role]}</span></div>)}</dd>
              <dt>Groups</dt><dd>{me.groups.length === 0 ? <span className="soft">none</span> : me.groups.join(", ")}</dd>
              <dt>Id</dt><dd><code>{me.id}</code></dd>
            </dl>
            <p className="small" style={{ marginBottom: 0 }}>
              <Anchor href="/hub/change-password" inherit>Change your password</Anchor>{" · "}
              <Anchor component={Link} to="/tokens" inherit>Tokens</Anchor>{" · "}
              <Anchor href="/hub/token" inherit>Tokens of the hub</Anchor>
            </p>
          </section>
        )}
      </Shown>
    </>
  );
}
