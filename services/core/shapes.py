"""From text to checked values: query strings and JSON bodies against pydantic models."""

from __future__ import annotations

import json
import types
import typing
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from services.core.errors import BadRequest, Unprocessable

T = TypeVar("T", bound=BaseModel)

DEPTH = 32  # how deep a JSON body may be nested


def parse_query(arguments: dict[str, list[bytes]], model: type[T]) -> T:
    """Check query parameters. A field of a list type takes repeated ones, others one each."""
    values: dict[str, Any] = {}
    for name, given in arguments.items():
        texts = [_text(value, name) for value in given]
        field = model.model_fields.get(name)
        if field is not None and _is_list(field.annotation):
            values[name] = texts
        elif len(texts) == 1:
            values[name] = texts[0]
        else:
            raise BadRequest(f"{name}: given {len(texts)} times", code="bad_query")
    return _validated(values, model, "bad_query", BadRequest)


def parse_body(raw: bytes, model: type[T]) -> T:
    """Check a JSON body."""
    try:
        values = json.loads(raw or b"{}", parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadRequest("the body is not JSON", code="bad_json") from error
    if not isinstance(values, dict):
        raise BadRequest("the body must be a JSON object", code="bad_json")
    if _too_deep(values):
        raise BadRequest(f"the body is nested deeper than {DEPTH}", code="bad_json")
    return _validated(values, model, "invalid", Unprocessable)


def _validated(
    values: dict[str, Any], model: type[T], code: str, kind: type[BadRequest] | type[Unprocessable]
) -> T:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = [
            {"where": ".".join(str(part) for part in problem["loc"]), "what": problem["msg"]}
            for problem in error.errors(include_url=False, include_input=False)[:20]
        ]
        first = problems[0]
        where = f"{first['where']}: " if first["where"] else ""
        raise kind(f"{where}{first['what']}"[:500], code=code, details=problems) from error


def _text(value: bytes, name: str) -> str:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest(f"{name[:100]}: not UTF-8", code="bad_query") from error
    if "\x00" in text:
        raise BadRequest(f"{name[:100]}: holds a NUL", code="bad_query")
    return text


def _is_list(annotation: Any) -> bool:
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        return any(_is_list(part) for part in typing.get_args(annotation))
    return annotation is list or typing.get_origin(annotation) is list


def _too_deep(values: Any) -> bool:
    level = [values]
    for _ in range(DEPTH):
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return False
    return True


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


class RequestModel(BaseModel):
    """Base of every request body: unknown fields are refused, and so are NULs in any text."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _no_nul(cls, values: Any) -> Any:
        if "\\u0000" in json.dumps(values, default=str):
            raise ValueError("text may not hold a NUL character")
        return values
