"""An image's bill of materials in CycloneDX: Python's packages by their lists, Debian's as found.

Called by `build`. It only reads.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

TOOL = Path(sys.executable).with_name("cyclonedx-py")


def write(target: Path, image: str, lists: Sequence[Path], dpkg_status: str) -> Path:
    """Write the bill of one image. Raises CalledProcessError."""
    bill: dict[str, Any] = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1}
    components = {one["bom-ref"]: one for file in lists for one in of_list(file)}
    components |= {one["bom-ref"]: one for one in of_debian(dpkg_status)}
    name, _, tag = image.rpartition(":")
    bill["metadata"] = {"component": {"type": "container", "name": name, "version": tag}}
    bill["components"] = [components[key] for key in sorted(components)]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(bill, indent=1, sort_keys=True) + "\n")
    return target


def of_list(file: Path) -> list[dict[str, Any]]:
    """The components of one locked list, as cyclonedx reads it, hashes included."""
    words = [str(TOOL), "requirements", "--output-reproducible", "--of", "JSON", str(file)]
    found = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    components: list[dict[str, Any]] = found.get("components", [])
    for one in components:
        one["bom-ref"] = f"pkg:pypi/{one['name']}@{one['version']}"
    return components


def of_debian(status: str) -> Iterator[dict[str, Any]]:
    """The components of a Debian system, from the text of dpkg's status file."""
    for paragraph in status.split("\n\n"):
        fields = dict(
            line.split(": ", 1)
            for line in paragraph.splitlines()
            if ": " in line and line[0] != " "
        )
        if "Package" in fields and "installed" in fields.get("Status", ""):
            reference = f"pkg:deb/debian/{fields['Package']}@{fields['Version']}"
            yield {
                "type": "library",
                "bom-ref": reference,
                "purl": reference,
                "name": fields["Package"],
                "version": fields["Version"],
            }
