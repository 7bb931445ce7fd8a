"""The generated tables of the reference: each function reads the code and gives Markdown.

Called by `docs/generate.py` only. Nothing here writes a file.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from fields import bodies, views
from prometheus_client import REGISTRY, Counter, Gauge, Histogram

from services.core import errors, events, rights, settings
from services.core.application import all_routes
from services.core.routing import Route
from services.platform.nouns import nouns
from services.workloads import rules

REPOSITORY = Path(__file__).parents[1]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for row in rows:
        cells = (str(cell).replace("|", "\\|").replace("\n", " ") for cell in row)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def every_route() -> list[Route]:
    """List the platform's routes, as the process itself does."""
    return all_routes(noun.routes for noun in nouns() if noun.routes is not None)


def settings_table() -> str:
    """Every setting with its default and meaning."""
    traits = settings.Settings.class_own_traits(config=True)
    return table(
        ("setting", "default", "meaning"),
        ((f"`{name}`", _plain(trait.default_value), trait.help) for name, trait in traits.items()),
    )


def limits_table() -> str:
    """The settings that limit something."""
    traits = settings.Settings.class_own_traits(config=True)
    return table(
        ("what", "limit", "setting"),
        (
            (trait.help, _plain(trait.default_value), f"`{name}`")
            for name, trait in traits.items()
            if "_max" in name or name == "low_disk"
        ),
    )


def _plain(value: Any) -> str:
    """Write a default as a person reads it: bytes in binary units where they are even."""
    if isinstance(value, str):
        return f"`{value}`" if value else "empty"
    if isinstance(value, int):
        for shift, unit in ((30, "GiB"), (20, "MiB")):
            if value and value % (1 << shift) == 0:
                return f"{value} ({value >> shift} {unit})"
    if isinstance(value, float) and value.is_integer():
        more = f" ({value / 3600:g} hours)" if value >= 3600 else ""
        if value >= 2 * 86400:
            more = f" ({value / 86400:g} days)"
        return f"{value:.0f}{more}"
    return str(value)


def roles_table() -> str:
    """Every permission and who has it."""
    platform, project = list(rights.PlatformRole), list(rights.ProjectRole)
    head = ["permission", "everyone", *platform, *project, "internal", "kinds of caller"]
    rows = []
    for permission in rights.Permission:
        grant = rights.GRANTS[permission]
        row = [f"`{permission}`", _yes(grant.everyone)]
        row += [_yes(role in grant.platform) for role in platform]
        row += [_yes(role in grant.project) for role in project]
        callers = [kind.value for kind in rights.Principal if kind in grant.principals]
        rows.append([*row, _yes(grant.internal), ", ".join(callers)])
    return table(head, rows)


def _yes(value: bool) -> str:
    return "yes" if value else ""


def routes_table() -> str:
    """Every route a person or a program may call, by noun."""
    parts = []
    shown = [route for route in every_route() if "/agent" not in route.path]
    for tag in dict.fromkeys(route.tag for route in shown):
        rows = [
            (f"`{route.method} {_path(route)}`", f"`{route.permission}`", route.summary)
            for route in shown
            if route.tag == tag
        ]
        parts.append(f"### {tag}\n\n{table(('route', 'needs', 'what it does'), rows)}")
    return "\n".join(parts)


def agent_routes_table() -> str:
    """The routes that only agents use."""
    rows = [
        (f"`{route.method} {_path(route)}`", f"`{route.permission}`", route.summary)
        for route in every_route()
        if "/agent" in route.path
    ]
    return table(("route", "needs", "what it does"), rows)


def _path(route: Route) -> str:
    return route.path.replace("*}", "}")


def fields_of_bodies() -> str:
    """Every request body, field by field."""
    return _fields(bodies(every_route()))


def fields_of_views() -> str:
    """Every answer, field by field."""
    return _fields(views(every_route()))


def _fields(models: Iterable[tuple[str, str, list[tuple[str, str, str]]]]) -> str:
    parts = []
    for name, about, rows in models:
        shown = table(("field", "type", "notes"), ((f"`{row[0]}`", *row[1:]) for row in rows))
        parts.append(f"### {name}\n\n{about}\n\n{shown}")
    return "\n".join(parts)


def events_table() -> str:
    """Every topic and kind of event."""
    rows = [
        (f"`{topic}`", f"`{kind}`", text)
        for topic, kinds in events.TOPICS.items()
        for kind, text in kinds.items()
    ]
    return table(("topic", "event", "meaning"), rows)


def metrics_table() -> str:
    """Every Prometheus metric of the platform process."""
    every_route()  # imports every noun, and with them their metrics
    found = {
        metric._name: metric
        for metric in REGISTRY._names_to_collectors.values()
        if isinstance(metric, Counter | Gauge | Histogram) and metric._name.startswith("smalti_")
    }
    rows = [
        (
            f"`{name}{'_total' if isinstance(metric, Counter) else ''}`",
            type(metric).__name__.lower(),
            ", ".join(f"`{label}`" for label in metric._labelnames),
            metric._documentation,
        )
        for name, metric in sorted(found.items())
    ]
    return table(("metric", "kind", "labels", "meaning"), rows)


def states_table() -> str:
    """Which state may follow which."""
    rows = [
        (
            status.value,
            ", ".join(after.value for after in rules.Status if after in rules.LEGAL[status])
            or "none: it is final",
        )
        for status in rules.Status
    ]
    return table(("state", "may be followed by"), rows)


def error_codes_table() -> str:
    """Every error code with its HTTP status."""
    classes = {
        name: kind
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.PublicError)
    }
    found = {
        (kind.status, kind.code): inspect.getdoc(kind) or ""
        for name, kind in classes.items()
        if name != "PublicError"
    }
    for call in _calls():
        kind = classes.get(_name_of(call.func))
        words = {word.arg: word.value for word in call.keywords}
        code, status = words.get("code"), words.get("status", ast.Constant(None))
        if kind is None or not isinstance(code, ast.Constant):
            continue
        number = getattr(status, "value", None) or kind.status
        found.setdefault((number, str(code.value)), "A special case of this status.")
    rows = [(status, f"`{code}`", text.split("\n")[0]) for (status, code), text in found.items()]
    order = sorted(rows, key=lambda row: (row[0], row[2].startswith("A special"), row[1]))
    return table(("status", "code", "meaning"), order)


def audit_table() -> str:
    """Every action that the audit trail may hold."""
    found = {
        str(word.value)
        for call in _calls()
        if len(call.args) > 3 and (_name_of(call.func) == "record" or _is_plan(call.func))
        for word in ast.walk(call.args[1])
        if isinstance(word, ast.Constant)
    }
    return "\n".join(f"- `{action}`" for action in sorted(found)) + "\n"


def _is_plan(function: ast.expr) -> bool:
    """Tell whether this makes a plan of moving refs, which is what the trail will say."""
    return ast.unparse(function) == "Plan.of"


def _calls() -> Iterator[ast.Call]:
    for file in sorted((REPOSITORY / "services").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield node


def _name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def chart_table(chart: str) -> str:
    """Every value of a chart with its default and meaning."""
    folder = REPOSITORY / "helm" / chart
    schema = json.loads((folder / "values.schema.json").read_text())
    values = yaml.safe_load((folder / "values.yaml").read_text())
    return table(("value", "default", "meaning"), _values(schema, values, ""))


def _values(schema: Any, values: Any, at: str) -> Iterator[tuple[str, str, str]]:
    for name, value in values.items():
        described = schema["properties"][name]
        if described.get("properties") and described.get("additionalProperties") is False:
            yield from _values(described, value, f"{at}{name}.")
            continue
        choices = " or ".join(f"`{one}`" for one in described.get("enum", ()))
        text = described["description"] + (f" One of {choices}." if choices else "")
        shown = json.dumps(value) if value not in ("", {}) else "empty"
        yield f"`{at}{name}`", shown if shown == "empty" else f"`{shown}`", text


TABLES: dict[str, Callable[[], str]] = {
    "settings": settings_table,
    "limits": limits_table,
    "roles": roles_table,
    "routes": routes_table,
    "agent-routes": agent_routes_table,
    "bodies": fields_of_bodies,
    "views": fields_of_views,
    "events": events_table,
    "audit": audit_table,
    "metrics": metrics_table,
    "states": states_table,
    "errors": error_codes_table,
    "chart": lambda: chart_table("smalti"),
    "agent-chart": lambda: chart_table("smalti-agent"),
}
