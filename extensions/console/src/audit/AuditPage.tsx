// What was done, by whom, to what: filtered, exported, and proved unchanged.
import { Button, Menu, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { itemsOf } from "../api/lists";
import { Empty } from "../parts/Empty";
import { Loading } from "../parts/Loading";
import { MoreButton } from "../parts/MoreButton";
import { PageHead } from "../parts/PageHead";
import { Problem } from "../parts/Problem";
import { counted } from "../parts/format";
import { IconChevronDown } from "../parts/icons";
import { ApiError, wordsOf } from "../api/errors";
import { AuditRow } from "./AuditRow";
import { auditList, exportAddress, verifyQuery, type AuditFilter } from "./queries";

export function AuditPage() {
  const [typed, setTyped] = useState({ action: "", person: "", target: "", since: "", until: "" });
  const [wanted] = useDebouncedValue(typed, 300);
  const filter = filterOf(wanted);
  const query = useInfiniteQuery(auditList(filter));
  const rows = itemsOf(query.data);
  const set = (name: keyof typeof typed) => (event: React.ChangeEvent<HTMLInputElement>) => setTyped({ ...typed, [name]: event.currentTarget.value });
  const about = "Every change, in a chain of hashes: a row that was changed or taken away shows.";
  if (query.error instanceof ApiError && query.error.status === 403) {
    return (
      <>
        <PageHead title="Audit trail" about={about} />
        <div className="card"><Problem error={query.error} /></div>
      </>
    );
  }
  return (
    <>
      <PageHead title="Audit trail" about={about}>
        <Menu position="bottom-end">
          <Menu.Target><Button variant="default" rightSection={<IconChevronDown size={14} />}>Export</Button></Menu.Target>
          <Menu.Dropdown>
            <Menu.Label>What the filters leave, the oldest first</Menu.Label>
            <Menu.Item component="a" href={exportAddress(filter, "csv")} download>CSV, for spreadsheets</Menu.Item>
            <Menu.Item component="a" href={exportAddress(filter, "jsonl")} download>JSON lines, as they are</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </PageHead>
      <div className="stack">
        <Verify />
        <div className="row" style={{ alignItems: "end" }}>
          <TextInput label="Action" placeholder="job.start" value={typed.action} onChange={set("action")} maxLength={64} />
          <TextInput label="Id of a person" value={typed.person} onChange={set("person")} maxLength={36} />
          <TextInput label="Id of what it was done to" value={typed.target} onChange={set("target")} maxLength={64} />
          <TextInput label="From" type="date" value={typed.since} onChange={set("since")} />
          <TextInput label="Before" type="date" value={typed.until} onChange={set("until")} />
        </div>
        <section className="card flush" aria-label="Events" aria-busy={query.isFetching}>
          {query.data === undefined
            ? query.error === null ? <Loading what="the audit trail" /> : <Problem error={query.error} what="The audit trail could not be loaded" again={() => void query.refetch()} />
            : rows.length === 0 ? <Empty title="Nothing was done like this"><p>Other filters may find something.</p></Empty> : (
              <div className="table-scroll">
                <table className="list folds">
                  <thead><tr><th>What</th><th>By</th><th>To</th><th>When</th><th>From</th></tr></thead>
                  <tbody>{rows.map((row) => <AuditRow key={row.id} row={row} />)}</tbody>
                </table>
              </div>
            )}
          <MoreButton query={query} />
        </section>
      </div>
    </>
  );
}

function Verify() {
  const query = useQuery(verifyQuery);
  return (
    <div className="row">
      <Button size="xs" variant="default" loading={query.isFetching} onClick={() => void query.refetch()}>Check the chain</Button>
      {query.error !== null && <span className="soft">{wordsOf(query.error)}</span>}
      {query.data !== undefined && (query.data.ok
        ? <span className="pill good">{counted(query.data.checked, "row")} unchanged</span>
        : <span className="pill bad">Row {query.data.wrong_position} was changed or taken away</span>)}
    </div>
  );
}

function filterOf(typed: { action: string; person: string; target: string; since: string; until: string }): AuditFilter {
  const day = (text: string) => new Date(`${text}T00:00:00`).toISOString();
  return {
    ...(typed.action.trim() === "" ? {} : { action: typed.action.trim() }),
    ...(typed.person.trim() === "" ? {} : { person_id: typed.person.trim() }),
    ...(typed.target.trim() === "" ? {} : { target_id: typed.target.trim() }),
    ...(typed.since === "" ? {} : { since: day(typed.since) }),
    ...(typed.until === "" ? {} : { until: day(typed.until) }),
  };
}
