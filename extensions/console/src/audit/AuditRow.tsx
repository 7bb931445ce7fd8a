// One row of the audit trail; what changed opens below it.
import type { AuditEvent } from "../api/views";
import { Ago } from "../parts/Ago";

export function AuditRow({ row }: { row: AuditEvent }) {
  const more = row.before !== null || row.after !== null;
  return (
    <tr>
      <th scope="row">
        <code>{row.action}</code>
        {more && (
          <details className="small">
            <summary className="soft">what changed</summary>
            <pre className="code wraps" tabIndex={0} style={{ marginTop: 6, maxWidth: "60ch" }}>
              {JSON.stringify({ before: row.before, after: row.after }, null, 1).slice(0, 4000)}
            </pre>
          </details>
        )}
      </th>
      <td data-name="By" className="wrap">{row.actor.name === "" ? row.actor.kind : row.actor.name}{row.actor.kind !== "person" && <div className="soft small">{row.actor.kind}</div>}</td>
      <td data-name="To">{row.target.kind} <code className="soft small" title={row.target.id}>{row.target.id.slice(-12)}</code></td>
      <td data-name="When"><Ago time={row.at} /></td>
      <td data-name="From" className="soft">{row.address === "" ? "the platform" : row.address}</td>
    </tr>
  );
}
