"""The fields of request bodies and answers, read from the pydantic models of the route table.

Called by `docs/tables.py`. Values only: it must not know Markdown.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel

from services.core.routing import Route

Row = tuple[str, str, str]
LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "above {}",
    "exclusiveMaximum": "below {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "maxProperties": "at most {} entries",
    "pattern": "matches `{}`",
}


def bodies(routes: Iterable[Route]) -> Iterator[tuple[str, str, list[Row]]]:
    """Give name, meaning and fields of every body that a caller may send."""
    models = {route.body for route in routes if route.body is not None and not route.hidden}
    yield from _described(models, "validation")


def views(routes: Iterable[Route]) -> Iterator[tuple[str, str, list[Row]]]:
    """Give name, meaning and fields of every answer and of every element of a list."""
    models: set[type[BaseModel]] = set()
    for route in routes:
        if not route.hidden:
            models |= set(_models(route.answer))
    yield from _described(models, "serialization")


def _models(answer: Any) -> Iterator[type[BaseModel]]:
    """Find the models in an answer; of a page, what it is a page of."""
    if isinstance(answer, type) and issubclass(answer, BaseModel):
        generic = answer.__pydantic_generic_metadata__
        if generic["args"]:
            for inner in generic["args"]:
                yield from _models(inner)
        else:
            yield answer
    for inner in typing.get_args(answer):
        yield from _models(inner)


def _described(
    models: set[type[BaseModel]], mode: typing.Literal["validation", "serialization"]
) -> Iterator[tuple[str, str, list[Row]]]:
    for model in sorted(models, key=lambda one: one.__name__):
        schema = model.model_json_schema(mode=mode)
        shapes = schema.get("$defs", {})
        about = (inspect.getdoc(model) or "").split("\n\n")[0].replace("\n", " ")
        required = set(schema.get("required", [])) if mode == "validation" else set()
        rows = [
            (name, _type(shape, shapes), _notes(name in required, shape))
            for name, shape in schema.get("properties", {}).items()
        ]
        yield model.__name__, about, rows


def _type(shape: dict[str, Any], shapes: dict[str, Any]) -> str:
    if "$ref" in shape:
        name = shape["$ref"].rsplit("/", 1)[1]
        inner = shapes.get(name, {})
        return _type(inner, shapes) if "enum" in inner else name
    if "anyOf" in shape:
        return " or ".join(_type(choice, shapes) for choice in shape["anyOf"])
    if "enum" in shape:
        return ", ".join(f"`{value}`" for value in shape["enum"])
    if "const" in shape:
        return f"`{shape['const']}`"
    kind = str(shape.get("type", "any"))
    if kind == "array":
        return f"list of {_type(shape.get('items', {}), shapes)}"
    if kind == "object" and isinstance(shape.get("additionalProperties"), dict):
        return f"object of {_type(shape['additionalProperties'], shapes)}"
    return "time" if shape.get("format") == "date-time" else kind


def _notes(required: bool, shape: dict[str, Any]) -> str:
    notes = ["required"] if required else []
    flat = {**shape}
    for choice in shape.get("anyOf", []):
        flat = {**choice, **flat}
    notes += [text.format(flat[key]) for key, text in LIMITS.items() if key in flat]
    default = shape.get("default")
    if default not in (None, "", [], {}):
        notes.append(f"default `{default}`")
    if "description" in shape:
        notes.append(str(shape["description"]).rstrip("."))
    return "; ".join(notes)
