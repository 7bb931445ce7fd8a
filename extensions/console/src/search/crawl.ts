// All files of a project by name, folder after folder, as far as a bound. Pure but for `list`.

export interface Found {
  path: string;
  type: string;
}

/** Names files breadth first: those near the root are found even where the bound cuts the rest. */
export async function crawl(list: (folder: string) => Promise<Found[]>, folders = 30, most = 3000): Promise<string[]> {
  const files: string[] = [];
  let level = [""];
  let looked = 0;
  while (level.length > 0 && looked < folders && files.length < most) {
    const some = level.slice(0, folders - looked);
    looked += some.length;
    const found = (await Promise.all(some.map(list))).flat();
    files.push(...found.filter((one) => one.type !== "directory").map((one) => one.path));
    level = found.filter((one) => one.type === "directory").map((one) => one.path);
  }
  return files.slice(0, most);
}
