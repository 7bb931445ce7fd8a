"""What somebody chooses for a named server: the form's HTML, and its data back into options.

Pure functions on values; used by the spawner. Everything in the form is escaped here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

FIELDS = ("project", "environment", "tier", "branch", "tool")


def from_form(data: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Make options of form data; what was left empty is not chosen."""
    chosen = {name: data[name][0].strip() for name in FIELDS if data.get(name)}
    return {name: value for name, value in chosen.items() if value}


def form(choices: Mapping[str, Any]) -> str:
    """Write the fields of the form. The project of a workspace that is there is fixed."""
    own = choices.get("workspace")
    if own:
        project = f"<p>A workspace of project <strong>{escape(own)}</strong>.</p>"
    elif choices["projects"]:
        project = _select("project", "Project", choices["projects"])
    else:
        project = (
            '<p class="alert alert-info">You have no project yet in which you may work: '
            "make one first, on Smalti's own pages.</p>"
        )
    unset = [{"value": "", "text": "as the project says"}]
    return "\n".join(
        [
            project,
            _select("environment", "Environment", unset + list(choices["environments"])),
            _select("tier", "Hardware tier", unset + list(choices["tiers"])),
            ""
            if own
            else (
                '<div class="mb-3"><label for="smalti-branch" class="form-label">Branch</label>'
                '<input class="form-control" id="smalti-branch" name="branch" maxlength="250" '
                'placeholder="the default branch"></div>'
            ),
        ]
    )


def _select(name: str, label: str, choices: Sequence[Mapping[str, str]]) -> str:
    options = "".join(
        f'<option value="{escape(one["value"])}">{escape(one["text"])}</option>' for one in choices
    )
    return (
        f'<div class="mb-3"><label for="smalti-{name}" class="form-label">{label}</label>'
        f'<select class="form-select form-control" id="smalti-{name}" name="{name}">'
        f"{options}</select></div>"
    )
