// What a folder holds: folders first, then files; only what is in sight is drawn in a long one.
import { Anchor, Button } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";

import type { Folder } from "../api/views";
import { Empty } from "../parts/Empty";
import { bytes } from "../parts/format";
import { useProject } from "../projects/ProjectLayout";
import { fileAddress } from "./address";
import { IconFile, IconFolder, IconLink } from "../parts/icons";

const AT_ONCE = 300;

export function FolderTable({ folder, gitRef }: { folder: Folder; gitRef: string | null }) {
  const { project, rights } = useProject();
  const [most, setMost] = useState(AT_ONCE);
  if (folder.items.length === 0) {
    return (
      <div className="card">
        <Empty title={folder.commit === null ? "No file yet" : "An empty folder"}>
          <p>{rights.write ? "Write a file here, or push with git." : "Its members have not put anything here yet."}</p>
        </Empty>
      </div>
    );
  }
  const sorted = [...folder.items].sort((left, right) => Number(right.type === "directory") - Number(left.type === "directory") || left.name.localeCompare(right.name));
  return (
    <section className="card flush" aria-label="Files">
      <table className="list">
        <thead><tr><th>Name</th><th className="number">Size</th></tr></thead>
        <tbody>
          {sorted.slice(0, most).map((item) => (
            <tr key={item.path}>
              <th scope="row" className="wrap">
                <span className="row tight" style={{ flexWrap: "nowrap" }}>
                  {item.type === "directory" ? <IconFolder size={17} aria-hidden="true" /> : item.type === "symlink" ? <IconLink size={17} aria-hidden="true" /> : <IconFile size={17} aria-hidden="true" />}
                  {item.type === "submodule" ? <span>{item.name} <span className="soft small">another repository</span></span>
                    : <Anchor component={Link} inherit to={fileAddress(project.id, item.path, gitRef)}>{item.name}</Anchor>}
                </span>
              </th>
              <td className="number">{item.size === null ? "" : bytes(item.size)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {sorted.length > most && <div className="row" style={{ padding: 12 }}><Button variant="default" onClick={() => setMost(most + 1000)}>Show more of {sorted.length}</Button></div>}
    </section>
  );
}
