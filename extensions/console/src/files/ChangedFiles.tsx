// The files that differ, with how many lines came and went.

interface Changed {
  path: string;
  status: string;
  additions?: number | null;
  deletions?: number | null;
}

export function ChangedFiles({ files }: { files: Changed[] }) {
  if (files.length === 0) return <p className="soft">No file differs.</p>;
  return (
    <section className="card flush" aria-label="Changed files">
      <table className="list">
        <thead><tr><th>File</th><th>What</th><th className="number">Lines</th></tr></thead>
        <tbody>
          {files.slice(0, 500).map((file) => (
            <tr key={file.path}>
              <th scope="row" className="wrap">{file.path}</th>
              <td>{file.status.replace("_", " ")}</td>
              <td className="number">{file.additions == null ? "binary" : `+${file.additions} −${file.deletions ?? 0}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {files.length > 500 && <p className="soft small" style={{ padding: "0 14px" }}>And {files.length - 500} more.</p>}
    </section>
  );
}
