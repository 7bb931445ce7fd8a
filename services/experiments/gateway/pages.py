"""MLflow's first page, with what a person here need not see put away.

Called by `gate`. It adds one script and one style sheet of ours: what calls out or cannot work
here (assistant, AI gateway, telemetry, making workspaces) is closed or hidden from the start.
That is for tidiness alone; the gate refuses those routes whatever a page shows.
"""

from __future__ import annotations

import json
from pathlib import Path

SCRIPT, STYLE = "/smalti-pages.js", "/smalti-pages.css"

_FIRST = {
    "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true",
    "mlflow.assistant.panelOpen_v1": "false",
    "mlflow.workflowType_v1": '"machine_learning"',
    "mlflow.telemetry.info.alert.dismissed_v1": "true",
    "_mlflow_model_registry_promo_modal_dismissed_v1": "true",
}
_HIDDEN = (
    "mlflow.home.workspaces.create_button",
    "mlflow.home.workspaces.edit_workspace",
    "mlflow.home.workspaces.delete_workspace",
    "mlflow.sidebar.gateway_tab_link",
    "mlflow.home.demo-banner.launch",
)
_HIDDEN_ELSE = ("[data-assistant-ui]", 'a[href*="#/gateway"]')


def script() -> bytes:
    """What a browser should start with, where it has no choice of its own yet."""
    return (
        f"for (const [name, value] of Object.entries({json.dumps(_FIRST)}))\n"
        "  if (localStorage.getItem(name) === null) localStorage.setItem(name, value);\n"
    ).encode()


def style() -> bytes:
    """What is not shown."""
    chosen = [f'[data-component-id="{name}"]' for name in _HIDDEN]
    # Some of MLflow's own rules say !important too: ours are the more special ones.
    named = ",\n".join(f":root:root:root:root {one}" for one in [*chosen, *_HIDDEN_ELSE])
    return f"{named} {{ display: none !important; }}\n".encode()


def first_page(index: Path) -> bytes:
    """MLflow's page with our files named in it."""
    ours = f'<script src=".{SCRIPT}"></script><link href=".{STYLE}" rel="stylesheet">'
    text = index.read_text(encoding="utf-8")
    return text.replace("<script", f"{ours}<script", 1).encode()
