"""From JSON to views and back.

Used wherever an answer is read or printed. Unknown fields are ignored and missing ones keep
their defaults, so old and new live together; a value of the wrong type is refused with the
name of its field, because guessing would hide a fault.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Hashable, Mapping
from datetime import datetime, timezone
from typing import Any, TypeVar

from smalti.errors import UnexpectedAnswer

T = TypeVar("T")


def read(kind: type[T], value: Any, where: str = "") -> T:
    """Make a view of a dataclass type from decoded JSON.

    Raises UnexpectedAnswer when a value does not fit, or a field without default is missing.
    """
    if not isinstance(value, dict):
        raise _misfit(where or kind.__name__, "an object", value)
    prefix = f"{where}." if where else ""
    fields: dict[str, Any] = {}
    for name, hint in _hints(typing.cast("Hashable", kind)).items():
        if value.get(name) is not None:  # null says the same as leaving the field out
            fields[name] = _convert(hint, value[name], prefix + name)
    try:
        return kind(**fields)
    except TypeError as error:
        raise UnexpectedAnswer(f"the server's {kind.__name__} lacks a field: {error}") from error


def plain(value: Any) -> Any:
    """Turn views into what the json module can write; times become RFC 3339 in UTC."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: plain(getattr(value, field.name)) for field in fields}
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def time(text: str) -> datetime:
    """Read an RFC 3339 time; one without a zone is taken as UTC. ValueError if it is none."""
    text = text.strip()
    if text[-1:] in {"Z", "z"}:
        text = text[:-1] + "+00:00"
    head, dot, rest = text.partition(".")
    if dot:  # Python 3.10 reads exactly three or six digits of a second's fraction
        digits = len(rest) - len(rest.lstrip("0123456789"))
        text = f"{head}.{rest[:digits][:6]:0<6}{rest[digits:]}"
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


@functools.cache
def _hints(kind: Hashable) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _convert(hint: Any, value: Any, where: str) -> Any:
    if hint is Any:
        return value
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in {types.UnionType, typing.Union}:
        if value is None and type(None) in inner:
            return None
        return _convert(next(one for one in inner if one is not type(None)), value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise _misfit(where, "a list", value)
        return tuple(_convert(inner[0], item, f"{where}[{n}]") for n, item in enumerate(value))
    if origin is not None:
        if not isinstance(value, dict):
            raise _misfit(where, "an object", value)
        return types.MappingProxyType(
            {key: _convert(inner[1], item, f"{where}.{key}") for key, item in value.items()}
        )
    return _scalar(hint, value, where)


def _scalar(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return read(hint, value, where)
    if hint is datetime:
        try:
            return time(value)
        except (ValueError, TypeError, AttributeError) as error:
            raise _misfit(where, "a time", value) from error
    if hint in {int, float} and isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number(hint, value, where)
    if hint not in {int, float} and isinstance(value, hint):
        return value
    raise _misfit(where, hint.__name__, value)


def _number(hint: Any, value: int | float, where: str) -> int | float:
    try:
        if hint is float:
            return float(value)
        if isinstance(value, int) or value.is_integer():
            return int(value)
    except OverflowError as error:
        raise _misfit(where, "a number of usual size", value) from error
    raise _misfit(where, "a whole number", value)


def _misfit(where: str, wanted: str, value: Any) -> UnexpectedAnswer:
    shown = repr(value) if not isinstance(value, int) else "a number"
    shown = shown if len(shown) <= 60 else shown[:60] + "..."
    return UnexpectedAnswer(f"the server's answer has {shown} for {where}, not {wanted}")
