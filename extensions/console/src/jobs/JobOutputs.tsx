// The files that a job left, each with a preview.
import { Anchor, Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { API } from "../api/client";
import type { Job, Output } from "../api/views";
import { Empty } from "../parts/Empty";
import { Shown } from "../parts/Shown";
import { bytes } from "../parts/format";
import { Preview } from "../viewers/Preview";
import { wayOf, type Kind } from "../viewers/kinds";
import { outputsQuery } from "./queries";
import { over } from "./rules";

const AT_ONCE = 200;

export function JobOutputs({ job }: { job: Job }) {
  const query = useQuery(outputsQuery(job.id));
  return (
    <Shown query={query} what="the outputs">
      {({ items }) => items.length === 0 ? (
        <Empty title={over(job) ? "It left no outputs" : "No outputs yet"}>
          <p>What a job writes into the folder <code className="inline">$SMALTI_OUTPUTS</code> shows here when it has ended.</p>
        </Empty>
      ) : <Files job={job} items={items} />}
    </Shown>
  );
}

function Files({ job, items }: { job: Job; items: Output[] }) {
  const [shown, setShown] = useState<string | null>(() => mostTelling(items));
  const [most, setMost] = useState(AT_ONCE);
  const open = items.find((item) => item.path === shown);
  return (
    <div className="stack">
      <section className="card flush" aria-label="Files">
        <div className="table-scroll">
          <table className="list">
            <thead><tr><th>File</th><th className="number">Size</th><th><span className="visually-hidden">Download</span></th></tr></thead>
            <tbody>
              {items.slice(0, most).map((item) => (
                <tr key={item.path}>
                  <th scope="row" className="wrap">
                    <Anchor component="button" type="button" inherit ta="left" onClick={() => setShown(item.path)}
                      aria-pressed={item.path === shown}>{item.path}</Anchor>
                  </th>
                  <td className="number">{bytes(item.size)}</td>
                  <td className="number"><Anchor href={outputAddress(job.id, item.path)} download inherit aria-label={`Download ${item.path}`}>Download</Anchor></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {items.length > most && <div className="row" style={{ padding: 12 }}><Button variant="default" onClick={() => setMost(most + 1000)}>Show more of {items.length}</Button></div>}
      </section>
      {open !== undefined && (
        <section className="card" aria-label={`Preview of ${open.path}`}>
          <h2 className="wrap">{open.path}</h2>
          <Preview key={open.path} address={outputAddress(job.id, open.path)} name={open.path} size={open.size} version={open.sha256} />
        </section>
      )}
    </div>
  );
}

const RANK: Kind[] = ["image", "notebook", "markdown", "csv"];

/** The output that is shown first: a picture before a notebook, before a table, before text. */
function mostTelling(items: Output[]): string | null {
  const rank = (item: Output) => {
    const kind = wayOf(item.path)?.kind;
    if (kind === undefined) return RANK.length + 2;
    const place = RANK.indexOf(kind);
    return place < 0 ? RANK.length + (/\.html?$/.test(item.path) ? 1 : 0) : place;
  };
  const best = [...items].sort((left, right) => rank(left) - rank(right))[0];
  return best === undefined || rank(best) > RANK.length + 1 ? null : best.path;
}

/** The address of one output; slashes of its path stay. */
export function outputAddress(jobId: string, path: string): string {
  return `${API}/jobs/${encodeURIComponent(jobId)}/outputs/${path.split("/").map(encodeURIComponent).join("/")}`;
}
