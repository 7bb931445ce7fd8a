// The session's XSRF value: a cookie that scripts may read, shown back as a header.

const NAMES = ["__Host-smalti-xsrf", "smalti-xsrf"];

/** Finds the value in the page's cookies; empty without a session. */
export function xsrfValue(cookies: string = document.cookie): string {
  const found = new Map(
    cookies.split(";").map((part) => {
      const [name = "", ...rest] = part.trim().split("=");
      return [name, rest.join("=")] as const;
    }),
  );
  for (const name of NAMES) {
    const value = found.get(name);
    if (value !== undefined && value !== "") return value;
  }
  return "";
}
