// For somebody who has nothing yet: three ways to begin.
import { Button, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { CopyLine } from "../parts/CopyLine";
import { makes, meQuery } from "../people/queries";

export function Begin() {
  const me = useQuery(meQuery);
  if (me.data !== undefined && !makes(me.data)) {
    return (
      <section className="card tiled">
        <Title order={2}>Nobody has shared a project with you yet</Title>
        <p className="soft">Ask the owner of a project to make you a member; it then shows here by itself.</p>
      </section>
    );
  }
  return (
    <section className="card tiled stack">
      <div>
        <Title order={2}>Begin with a project</Title>
        <p className="soft">
          A project is a git repository with people around it: its files, its jobs and their results.
          The example <em>wine-quality</em> trains a small model and is done within a minute.
        </p>
      </div>
      <div className="row">
        <Button component={Link} to="/projects?new=wine-quality">Begin with the example</Button>
        <Button component={Link} to="/projects?new" variant="default">An empty project</Button>
      </div>
      <div>
        <p className="soft small">Or from a terminal:</p>
        <div className="stack" style={{ gap: 6 }}>
          <CopyLine name="the first command" text={`smalti login ${location.origin}`} />
          <CopyLine name="the second command" text="smalti projects create wine --example wine-quality" />
          <CopyLine name="the third command" text="smalti jobs run wine -- python train.py" />
        </div>
      </div>
    </section>
  );
}
