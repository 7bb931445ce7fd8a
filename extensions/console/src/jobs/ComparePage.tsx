// Two jobs side by side: settings, numbers, code, outputs.
import { Anchor, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link, useSearchParams } from "react-router";

import { ChangedFiles } from "../files/ChangedFiles";
import { DiffView } from "../files/DiffView";
import { Empty } from "../parts/Empty";
import { PageHead } from "../parts/PageHead";
import { Shown } from "../parts/Shown";
import { StatusPill } from "../parts/StatusPill";
import { bytes, duration, figure } from "../parts/format";
import { CompareCurves } from "./CompareCurves";
import { compareQuery, jobQuery } from "./queries";
import { nameOf } from "./rules";

export function ComparePage() {
  const [address] = useSearchParams();
  const left = address.get("left") ?? "";
  const right = address.get("right") ?? "";
  const query = useQuery({ ...compareQuery(left, right), enabled: left !== "" && right !== "" });
  return (
    <>
      <PageHead title="Two jobs side by side" />
      {left === "" || right === "" ? <Empty title="Which two?"><p>Choose two jobs in a list of jobs.</p></Empty> : (
        <Shown query={query} what="the comparison">
          {(found) => (
            <div className="stack">
              <div className="grid"><Side name="Left" id={left} /><Side name="Right" id={right} /></div>
              <Table title="Settings that differ" none="They were asked for in the same way." head={["Setting", "Left", "Right"]}
                rows={found.settings.map((one) => [one.name, one.left ?? "–", one.right ?? "–"])} />
              <Table title="Numbers that they wrote" none="Neither wrote numbers into metrics.json." head={["Number", "Left", "Right", "Change"]} numbers
                rows={found.metrics.map((one) => [one.name, shown(one.left), shown(one.right), change(one.left, one.right)])} />
              <CompareCurves left={left} right={right} />
              <Table title="Outputs" none="Neither left outputs." head={["File", "Left", "Right", ""]}
                rows={found.outputs.map((one) => [one.path, one.left == null ? "–" : bytes(one.left.size), one.right == null ? "–" : bytes(one.right.size), one.same ? "the same" : "differs"])} />
              <section className="stack" aria-label="Code">
                <Title order={2}>Code</Title>
                {found.code.commits[0] === found.code.commits[1] ? <p className="soft">Both ran the same commit.</p> : (
                  <><ChangedFiles files={found.code.files} /><DiffView patch={found.code.patch} /></>
                )}
              </section>
            </div>
          )}
        </Shown>
      )}
    </>
  );
}

function Side({ name, id }: { name: string; id: string }) {
  return (
    <section className="card" aria-label={name}>
      <div className="soft small">{name}</div>
      <Shown query={useQuery(jobQuery(id))} what="the job">
        {(job) => (
          <div className="stack" style={{ gap: 8 }}>
            <Anchor component={Link} to={`/jobs/${job.id}`} fw={600} className="wrap"><span className="soft">#{job.number}</span> {nameOf(job).slice(0, 160)}</Anchor>
            <div className="row">
              <StatusPill status={job.status} />
              {job.usage != null && <span className="soft small">{duration(job.usage.duration)}, {duration(job.usage.cpu_seconds)} of CPU, {bytes(job.usage.memory_peak)} at most</span>}
            </div>
          </div>
        )}
      </Shown>
    </section>
  );
}

function Table({ title, none, head, rows, numbers = false }: { title: string; none: string; head: string[]; rows: ReactNode[][]; numbers?: boolean }) {
  return (
    <section className="card flush" aria-label={title}>
      <Title order={2} style={{ padding: "16px 20px 12px", margin: 0 }}>{title}</Title>
      {rows.length === 0 ? <p className="soft" style={{ margin: 0, padding: "0 20px 18px" }}>{none}</p> : (
        <div className="table-scroll" tabIndex={0} role="region" aria-label={title}>
          <table className="list">
            <thead><tr>{head.map((one, index) => <th key={index} className={numbers && index > 0 ? "number" : ""}>{one}</th>)}</tr></thead>
            <tbody>
              {rows.slice(0, 500).map((row, at) => (
                <tr key={at}>{row.map((cell, index) => index === 0 ? <th key={index} scope="row" className="wrap">{cell}</th> : <td key={index} className={numbers ? "number" : "wrap"}>{cell}</td>)}</tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function shown(value: number | null | undefined): string {
  return value == null ? "–" : figure(value);
}

function change(left: number | null | undefined, right: number | null | undefined): string {
  if (left == null || right == null) return "";
  const by = right - left;
  return by === 0 ? "none" : `${by > 0 ? "+" : "−"}${figure(Math.abs(by))}`;
}
