// The console's own addresses of files. Pure.

/** The page of a file or folder; names in it may hold any letter. */
export function fileAddress(projectId: string, path: string, ref: string | null, more: Record<string, string> = {}): string {
  const query = new URLSearchParams({ ...(ref === null ? {} : { ref }), ...more }).toString();
  const tail = path.split("/").map(encodeURIComponent).join("/");
  return `/projects/${projectId}/files/${tail}${query === "" ? "" : `?${query}`}`;
}
