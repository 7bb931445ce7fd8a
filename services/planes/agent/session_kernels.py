"""Offers the kernels of an environment to a session's tool: those, and no others.

Imported by the agent, and run as a program in a pod, where only there the environment can be
seen; standard library only, and no import of ours. Must never take a kernel of the tools.

Usage: session_kernels.py --environment FOLDER --into FOLDER --name NAME --revision N
       --launcher PROGRAM -- PROGRAM ARGUMENT...
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path


class NoKernel(Exception):
    """The environment has no kernel; the text is for a person."""


@dataclass(frozen=True)
class Environment:
    """Where an environment is, and what people call it."""

    folder: Path
    name: str
    revision: int


def write(kernels: Path, environment: Environment, launcher: str) -> None:
    """Write the specs of all kernels into a new folder. NoKernel, OSError."""
    kernels.mkdir(parents=True)
    folder = environment.folder
    for spec in folder.glob("share/jupyter/kernels/*/kernel.json"):
        if spec.parent.name != "python3":
            shutil.copytree(spec.parent, kernels / spec.parent.name)
    if any(folder.glob("lib/python3*/site-packages/ipykernel/__init__.py")):
        python = kernels / "python3"
        python.mkdir()
        command = [launcher, str(folder / "bin" / "python"), "-m", "ipykernel_launcher"]
        spec_text = {
            "argv": [*command, "-f", "{connection_file}"],
            "display_name": f"Python ({environment.name}, revision {environment.revision})",
            "language": "python",
            "metadata": {"debugger": True},
        }
        (python / "kernel.json").write_text(json.dumps(spec_text))
    if not any(kernels.iterdir()):
        name = f"environment {environment.name} revision {environment.revision}"
        raise NoKernel(f"{name} has no kernel for notebooks: add the package ipykernel to it")


def main() -> None:
    """Do what the command line says, then become the program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--environment", type=Path, required=True)
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--revision", type=int, required=True)
    parser.add_argument("--launcher", required=True)
    parser.add_argument("program", nargs="+")
    wanted = parser.parse_args()
    try:
        environment = Environment(wanted.environment, wanted.name, wanted.revision)
        write(wanted.into / "kernels", environment, wanted.launcher)
    except NoKernel as error:
        sys.exit(str(error))
    os.execv(wanted.program[0], wanted.program)  # noqa: S606


if __name__ == "__main__":
    main()
