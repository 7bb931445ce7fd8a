"""Writes THIRD_PARTY_NOTICES.md: every package that Smalti brings along, with its licence.

    .venv/bin/python docs/notices.py ENVIRONMENTS

ENVIRONMENTS is a folder with the built environments in it (`$SMALTI_HOME/environments`).
Licences are read from the metadata of the installed packages, so all locks must be installed;
run it after one of them has changed.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from locked import (
    REPOSITORY,
    console_packages,
    environment_packages,
    platform_packages,
    tools_packages,
)

TARGET = REPOSITORY / "THIRD_PARTY_NOTICES.md"
# Packages that carry the text of a licence without naming it: how the text begins, below the
# lines that say whose it is.
TEXTS = {
    "MIT License": "MIT",
    "MIT License (MIT)": "MIT",
    "Permission is hereby granted, free of charge, to any person obtaining a copy": "MIT",
}

HEAD = """# Third-party notices

Smalti is under the Apache License 2.0 (see `LICENSE`). It runs with the packages below, each
under its own licence; none of them is part of this repository. The texts of the licences are in
each package's `*.dist-info` folder, or its folder in `node_modules`, once it is installed.
`docs/notices.py` writes this file from the lock files and from the packages' own metadata.
"""

# Outlines of these icons are part of this repository: extensions/console/src/parts/icons.tsx.
ICONS = """
## Tabler icons

The outlines in `extensions/console/src/parts/icons.tsx` are taken from Tabler icons
(https://tabler.io/icons).

MIT License

Copyright (c) 2020-2026 Paweł Kuna

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or
substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT
OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def main() -> int:
    """Write the file."""
    built = Path(sys.argv[1])
    parts = [HEAD]
    for title, packages, path in (
        ("The platform and its client", platform_packages(), None),
        ("The default environment", environment_packages(), _site(built / "default" / "1")),
        ("The tools of workspaces", tools_packages(), _site(built / ".tools" / "1")),
    ):
        installed = _installed(path)
        parts += [f"\n## {title}\n", "| package | version | licence |", "| --- | --- | --- |"]
        parts += [f"| {name} | {version} | {licence(installed[name])} |"
                  for name, version in sorted(packages)]  # fmt: skip
    parts.append(console())
    TARGET.write_text("\n".join(parts) + "\n" + ICONS, encoding="utf-8")
    return 0


def console() -> str:
    """Write the section of the web console."""
    rows = [
        f"| {name} | {version} | {words} |" for name, version, words in sorted(console_packages())
    ]
    head = ["\n## The web console", "", "| package | version | licence |", "| --- | --- | --- |"]
    return "\n".join([*head, *rows])


def _site(environment: Path) -> str:
    return str(next(environment.glob("lib/python3*/site-packages")))


def _installed(path: str | None) -> dict[str, Distribution]:
    found = distributions(path=[path]) if path else distributions()
    return {re.sub(r"[-_.]+", "-", one.name).lower(): one for one in found}


def licence(package: Distribution) -> str:
    """Name a package's licence in a few words, from what it says of itself."""
    data: Any = package.metadata
    expression = data.get("License-Expression")
    if expression:
        return str(expression)
    named = [
        value.rpartition(" :: ")[2]
        for value in data.get_all("Classifier") or []
        if value.startswith("License ::") and not value.endswith("OSI Approved")
    ]
    if named:
        return ", ".join(named)
    lines = [line.strip() for line in (data.get("License") or "").splitlines() if line.strip()]
    if lines and len(lines[0]) < 60:
        return lines[0]
    for file in package.files or []:
        if file.name.upper().startswith("LICENSE"):
            lines = [line.strip() for line in str(file.read_text()).splitlines()]
            own = [line for line in lines if line and not line.startswith("Copyright")]
            if own and own[0] in TEXTS:
                return TEXTS[own[0]]
    raise SystemExit(f"{package.name} does not name its licence; look it up and say so here")


if __name__ == "__main__":
    sys.exit(main())
