"""Rendering our charts with the real helm, and looking into what comes out."""

from __future__ import annotations

import functools
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.helm.programs import program
from tests.instance import REPOSITORY

HELM = REPOSITORY / "helm"
Manifest = dict[str, Any]
# Each worked file of values, with its chart and the name it is installed under.
EXAMPLES = {
    "trial": ("smalti", "smalti"),
    "production": ("smalti", "smalti"),
    "far": ("smalti-agent", "far"),
}


class Refused(Exception):
    """helm did not take the values; the text is what it said."""


def run(*words: str) -> str:
    """Run helm; give what it wrote. Raises Refused."""
    with tempfile.TemporaryDirectory() as home:
        environment = {"HOME": home, "PATH": "/usr/bin:/bin", "KUBECONFIG": f"{home}/none"}
        done = subprocess.run(
            [str(program("helm")), *words],
            check=False,
            env=environment,
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise Refused(done.stderr)
    return done.stdout


def render(
    chart: str = "smalti",
    *files: Path,
    values: Manifest | None = None,
    release: str = "smalti",
    upgrade: bool = False,
) -> list[Manifest]:
    """Render a chart with files of values, and `values` last."""
    words = ["template", release, str(HELM / chart), "--namespace", release]
    words += [word for file in files for word in ("--values", str(file))]
    words += ["--is-upgrade"] if upgrade else []
    with tempfile.NamedTemporaryFile("w", suffix=".json") as last:
        json.dump(values or {}, last)
        last.flush()
        text = run(*words, "--values", last.name)
    return [one for one in yaml.safe_load_all(text) if one]


@functools.cache
def example(name: str) -> tuple[Manifest, ...]:
    """Render one of the worked files of values."""
    chart, release = EXAMPLES[name]
    return tuple(render(chart, HELM / chart / "examples" / f"{name}.yaml", release=release))


def of_kind(
    found: Iterator[Manifest] | tuple[Manifest, ...] | list[Manifest], kind: str
) -> list[Manifest]:
    """Those of one kind."""
    return [one for one in found if one["kind"] == kind]


def pods(found: tuple[Manifest, ...] | list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Every pod's spec, with the name of what makes it."""
    for one in found:
        if one["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield one["metadata"]["name"], one["spec"]["template"]["spec"]


def containers(pod: Manifest) -> list[Manifest]:
    """All containers of a pod."""
    return [*pod.get("initContainers", []), *pod["containers"]]


def plain(found: tuple[Manifest, ...] | list[Manifest]) -> str:
    """Write manifests as text that is the same each time: made secrets and digests are named."""
    shown = []
    for one in found:
        copy = json.loads(json.dumps(one))
        if copy["kind"] == "Secret":
            copy["data"] = dict.fromkeys(copy.get("data") or {}, "(made)")
        template = copy.get("spec", {}).get("template", {}) if "spec" in copy else {}
        notes = template.get("metadata", {}).get("annotations", {}) if template else {}
        for note in notes:
            notes[note] = "(digest)" if note.startswith("checksum/") else notes[note]
        shown.append(copy)
    shown.sort(
        key=lambda one: (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"])
    )
    return "".join("---\n" + yaml.safe_dump(one, sort_keys=True, width=100) for one in shown)
