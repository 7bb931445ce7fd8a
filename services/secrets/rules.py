"""Decisions on secrets: which names there may be, and which of two counts in a run. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

SCOPE_OF_PERSON = "person"
SCOPE_OF_PROJECT = "project"
LONGEST_NAME = 128
SHORTEST_HIDDEN = 6  # bytes; the agents hide no shorter value in a log, see their `masking`

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What the platform sets itself, and what makes a program load or run something else.
_RESERVED_BEGINNINGS = (
    "SMALTI_",
    "MLFLOW_",
    "JUPYTERHUB_",
    "JPY_",
    "JUPYTER_",
    "DASK_",
    "LD_",
    "DYLD_",
    "LC_",
    "PYTHON",
    "BASH",
    "GIT_CONFIG",
    "GIT_SSH",
    "PERL5",
    "RUBY",
    "CONDA_",
)
_RESERVED_TEXT = """
PATH HOME USER LOGNAME SHELL PWD OLDPWD TMPDIR TMP TEMP LANG LANGUAGE TERM TZ HOSTNAME IFS
ENV CDPATH PS1 PS2 PS4 VIRTUAL_ENV NODE_OPTIONS NODE_PATH GIT_ASKPASS GIT_EXEC_PATH
GIT_EDITOR GIT_PAGER GIT_DIR GIT_WORK_TREE SSH_ASKPASS EDITOR VISUAL PAGER R_HOME
R_PROFILE R_ENVIRON R_LIBS _
"""
_RESERVED = frozenset(_RESERVED_TEXT.split())


def refusal_of_name(name: str) -> str | None:
    """Say why a secret cannot have a name; None when it can."""
    if len(name) > LONGEST_NAME:
        return f"a name has at most {LONGEST_NAME} characters"
    if not _NAME.fullmatch(name):
        return (
            "a name is that of an environment variable: letters, digits and underscores, and no "
            "digit first"
        )
    upper = name.upper()
    if upper in _RESERVED or upper.startswith(_RESERVED_BEGINNINGS):
        return f"{name} is reserved: the platform or the system gives it a meaning of its own"
    return None


def refusal_of_value(value: str, most: int) -> str | None:
    """Say why a text cannot be a secret's value; None when it can. Never repeats the value."""
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return "the value is not text"
    if not size:
        return "the value is empty"
    if "\0" in value:
        return "the value holds a NUL character, which no environment variable can"
    if size > most:
        return f"the value has {size} bytes; the most is {most}"
    return None


@dataclass(frozen=True)
class Chosen:
    """A secret that a run is to be given."""

    id: str
    scope: str
    owner_id: str
    name: str


def for_run(found: Iterable[Chosen], taken: frozenset[str]) -> list[Chosen]:
    """Choose by name: a person's secret counts more than a project's, a given variable most."""
    by_name: dict[str, Chosen] = {}
    for one in found:
        if one.name in taken:
            continue
        there = by_name.get(one.name)
        if there is None or one.scope == SCOPE_OF_PERSON:
            by_name[one.name] = one
    return [by_name[name] for name in sorted(by_name)]
