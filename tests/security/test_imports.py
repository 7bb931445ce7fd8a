"""S8 unsafe deserialization: what the control plane may not even import, by a walk of its code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("services", "spawners", "hub_config", "setup")
BANNED_MODULES = {
    "pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve",
    "jsonpickle", "torch", "dbm",
}  # fmt: skip
BANNED_CALLS = {"eval", "exec", "compile", "__import__"}
BANNED_ATTRIBUTES = {
    ("yaml", "load"), ("yaml", "load_all"), ("yaml", "unsafe_load"), ("yaml", "full_load"),
    ("numpy", "load"), ("np", "load"), ("pandas", "read_pickle"), ("pd", "read_pickle"),
    ("os", "system"), ("os", "popen"),
}  # fmt: skip
# Where code is read on purpose, and why that is safe.
ALLOWED: set[tuple[str, str]] = set()


def faults(source: str) -> Iterator[str]:
    """Yield what a piece of code does that is banned."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                modules = [name.name for name in names]
            case ast.ImportFrom(module=module) if module:
                modules = [module]
            case _:
                modules = []
        yield from (f"imports {name}" for name in modules if name.split(".")[0] in BANNED_MODULES)
        if isinstance(node, ast.Call):
            yield from _call(node)


def _call(node: ast.Call) -> Iterator[str]:
    match node.func:
        case ast.Name(id=name) if name in BANNED_CALLS:
            yield f"calls {name}"
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            if (module, name) in BANNED_ATTRIBUTES:
                yield f"calls {module}.{name}"
            if name == "import_module" and not isinstance(node.args[0], ast.Constant):
                yield "imports a module by a name that is not written down"
    for keyword in node.keywords:
        true = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
        if keyword.arg == "shell" and true:
            yield "runs a shell"
        if keyword.arg == "allow_pickle" and true:
            yield "allows pickle"


def test_the_control_plane_reads_nothing_that_could_run() -> None:
    found, seen = [], 0
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("*.py"):
            seen += 1
            name = str(file.relative_to(ROOT))
            text = file.read_text()
            found += [(name, fault) for fault in faults(text) if (name, fault) not in ALLOWED]
    assert seen > 150
    assert not found


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "import marshal as m",
        "import yaml\nyaml.load(text)",
        "eval(text)",
        "import subprocess\nsubprocess.run(words, shell=True)",
        "import numpy\nnumpy.load(file, allow_pickle=True)",
        "def f():\n    import torch.serialization",
        "import importlib\nimportlib.import_module(name)",
    ],
)
def test_the_walk_finds_what_it_looks_for(code: str) -> None:
    assert list(faults(code))


def test_the_walk_lets_honest_code_be() -> None:
    code = "import json, yaml\njson.loads(text)\nyaml.safe_load(text)\nre.compile('x')\n"
    assert not list(faults(code))
