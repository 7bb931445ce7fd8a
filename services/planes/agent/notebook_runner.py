"""Runs one notebook as a job: the script that a run of an `.ipynb` file executes.

Owns what such a job prints and leaves: each cell's text output as it comes, and in
`$SMALTI_OUTPUTS` the executed notebook and its page, also when a cell fails. Executed by the
environment's Python inside the run; needs nbclient and nbconvert there. Must never import
anything of Smalti: it runs alone, among a person's packages.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import traceback
from pathlib import Path
from typing import TextIO

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def say(text: str, stream: TextIO | None = None) -> None:
    """Write a line at once."""
    out = stream or sys.stdout
    out.write(text + "\n")
    out.flush()


def build_client(notebook: object, folder: Path) -> object:
    """Make a client that prints what cells say while they say it."""
    from nbclient import NotebookClient  # type: ignore[import-not-found]

    class Client(NotebookClient):  # type: ignore[misc]
        """Executes a notebook and shows its progress."""

        async def async_execute_cell(self, cell, cell_index, *args, **kwargs):  # type: ignore[no-untyped-def]
            """Execute one cell, its number printed first."""
            if cell.cell_type == "code" and cell.source.strip():
                total = len(self.nb.cells)
                first = cell.source.strip().split("\n")[0][:70]
                say(f"[cell {cell_index + 1}/{total}] {first}")
            return await super().async_execute_cell(cell, cell_index, *args, **kwargs)

        def process_message(self, msg, cell, cell_index):  # type: ignore[no-untyped-def]
            """Show a message's text, then store it in the notebook."""
            show(msg.get("msg_type", ""), msg.get("content", {}))
            return super().process_message(msg, cell, cell_index)

    # No limit per cell: the job has its own. Standard input is answered by an error.
    return Client(
        notebook, timeout=None, allow_errors=False, resources={"metadata": {"path": str(folder)}}
    )


def show(kind: str, content: dict) -> None:  # type: ignore[type-arg]
    """Print the text of one output."""
    if kind == "stream":
        stream = sys.stderr if content.get("name") == "stderr" else sys.stdout
        stream.write(content.get("text", ""))
        stream.flush()
    elif kind in ("execute_result", "display_data"):
        text = content.get("data", {}).get("text/plain")
        if text:
            say(text)
    elif kind == "error":
        lines = content.get("traceback") or [f"{content.get('ename')}: {content.get('evalue')}"]
        say(ANSI.sub("", "\n".join(lines)), sys.stderr)


def leave(notebook: object, file: Path, outputs: Path) -> None:
    """Write the notebook as it is now, and its page where that can be made."""
    import nbformat  # type: ignore[import-not-found]

    outputs.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, str(outputs / file.name))
    try:
        from nbconvert import HTMLExporter  # type: ignore[import-not-found]

        page, _ = HTMLExporter().from_notebook_node(
            notebook, resources={"metadata": {"name": file.stem}}
        )
        (outputs / f"{file.stem}.html").write_text(page, encoding="utf-8")
    except Exception:  # noqa: BLE001 - whatever is wrong with the page, the notebook is kept
        say("the page of the notebook could not be made:", sys.stderr)
        traceback.print_exc()


def run(file: Path, outputs: Path) -> int:
    """Execute a notebook; returns the exit code."""
    try:
        import nbformat
        from nbclient.exceptions import CellExecutionError  # type: ignore[import-not-found]
    except ImportError as error:
        say(f"this environment cannot run notebooks: {error}", sys.stderr)
        return 1
    try:
        notebook = nbformat.read(str(file), as_version=4)
    except Exception as error:  # noqa: BLE001 - a file that is no notebook, in any way
        say(f"{file} is not a notebook: {error}", sys.stderr)
        return 1
    client = build_client(notebook, file.resolve().parent)
    code = 0
    try:
        client.execute()  # type: ignore[attr-defined]
    except CellExecutionError:
        code = 1  # the cell's error was printed when it came
    except Exception:  # noqa: BLE001 - a kernel that died or could not be started
        traceback.print_exc()
        code = 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        code = 130
    finally:
        leave(notebook, file, outputs)
    return code


def main() -> int:
    """Read the command line: the notebook, then arguments that the notebook finds in sys.argv."""
    if len(sys.argv) < 2:
        say("usage: notebook_runner FILE [ARGS...]", sys.stderr)
        return 2
    # Arguments reach the kernel by the environment: its own command line is not ours.
    os.environ["SMALTI_ARGS"] = "\n".join(sys.argv[2:])
    outputs = Path(os.environ.get("SMALTI_OUTPUTS") or "outputs")
    return run(Path(sys.argv[1]), outputs)


if __name__ == "__main__":
    sys.exit(main())
