"""Writes the OpenAPI document without a running platform, for programs that are made of it.

    .venv/bin/python docs/document.py build/openapi.json

Called by the Makefile (the console's types are generated from it) and by hand.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from services.core import VERSION, openapi  # noqa: E402 - found by the line above
from services.core.application import all_routes  # noqa: E402
from services.platform.nouns import nouns  # noqa: E402


def main(arguments: list[str]) -> None:
    """Write the document to the file that is named."""
    routes = all_routes(noun.routes for noun in nouns() if noun.routes is not None)
    target = Path(arguments[0])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(openapi.document(routes, VERSION), indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
