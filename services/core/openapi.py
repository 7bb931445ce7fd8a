"""The OpenAPI 3.1 document, made from the route table and nothing else."""

from __future__ import annotations

import typing
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.core.rights import GRANTS, Permission
from services.core.routing import PREFIX, Route

_REF = "#/components/schemas/{model}"
_TEXTS = {
    400: "The request cannot be read.",
    401: "No valid credential.",
    403: "Not allowed.",
    404: "Not there, or not for you to know.",
    405: "Method not possible here.",
    409: "Contradicts what is there.",
    410: "Was there, is gone.",
    412: "If-Match names an older state.",
    413: "Too large.",
    416: "No such range.",
    422: "Refused by a rule that the message names.",
    429: "A limit is reached.",
    500: "Something broke.",
    503: "Something needed is away.",
    507: "No room.",
}


class ErrorBody(BaseModel):
    """What went wrong, for programs (`code`) and people (`message`)."""

    code: str
    message: str
    details: Any = None
    request_id: str


class ErrorView(BaseModel):
    """Every error has this shape."""

    error: ErrorBody


def document(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """Make the document."""
    shown = [route for route in routes if not route.hidden]
    schemas, names = _schemas(shown)
    paths: dict[str, dict[str, Any]] = {}
    for route in shown:
        path = route.path.replace("*}", "}")
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, names)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Smalti", "version": version, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A hub token or one of Smalti's own tokens.",
                }
            },
        },
    }


def _schemas(routes: list[Route]) -> tuple[dict[str, Any], dict[Any, str]]:
    answers = {route.answer for route in routes if _is_model(route.answer)}
    bodies = {route.body for route in routes if route.body}
    wanted: list[tuple[type[BaseModel], typing.Literal["serialization", "validation"]]] = [
        *((model, "serialization") for model in sorted(answers | {ErrorView}, key=_model_name)),
        *((model, "validation") for model in sorted(bodies, key=_model_name)),
    ]
    refs: dict[Any, Any]
    refs, definitions = models_json_schema(wanted, ref_template=_REF)
    names = {model: schema["$ref"].rsplit("/", 1)[1] for (model, _), schema in refs.items()}
    shapes: dict[str, Any] = definitions.get("$defs", {})
    return shapes, names


def _operation(route: Route, names: dict[type[BaseModel], str]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{route.tag}.{route.handler.__name__}",
        "tags": [route.tag],
        "summary": route.summary,
        "description": f"Needs `{route.permission.value}`.",
        "parameters": _parameters(route),
        "responses": _responses(route, names),
    }
    if route.permission is Permission.PUBLIC:
        operation["security"] = []
    if route.body is not None:
        schema = {"$ref": _REF.format(model=names[route.body])}
        content = {"application/json": {"schema": schema}}
        operation["requestBody"] = {"required": True, "content": content}
    elif route.upload is not None:
        content = {"application/octet-stream": {}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in route.parameters
    ]
    if route.query is not None:
        schema = route.query.model_json_schema()
        required = schema.get("required", [])
        for name, field in schema["properties"].items():
            shape = {key: value for key, value in field.items() if key != "title"}
            inlined = _without_refs(_without_null(shape), schema.get("$defs", {}))
            found.append(
                {"name": name, "in": "query", "required": name in required, "schema": inlined}
            )
    if route.method == "POST" and route.keep:
        shape = {"type": "string", "minLength": 1, "maxLength": 200}
        found.append({"name": "Idempotency-Key", "in": "header", "schema": shape})
    if route.etag and route.method in ("PATCH", "PUT"):
        found.append({"name": "If-Match", "in": "header", "schema": {"type": "string"}})
    return found


def _without_null(shape: dict[str, Any]) -> dict[str, Any]:
    """A query parameter is there or not; it is never null."""
    choices = [choice for choice in shape.get("anyOf", []) if choice.get("type") != "null"]
    if len(choices) == 1:
        rest = {key: value for key, value in shape.items() if key not in ("anyOf", "default")}
        return {**choices[0], **rest}
    return shape


def _without_refs(shape: Any, definitions: dict[str, Any]) -> Any:
    """Put what a parameter's shape refers to in its place: a `$defs` of its own has no address."""
    if isinstance(shape, list):
        return [_without_refs(one, definitions) for one in shape]
    if not isinstance(shape, dict):
        return shape
    name = str(shape.get("$ref", "")).rpartition("/")[2]
    referred = {**definitions[name], **shape} if name in definitions else shape
    return {
        key: _without_refs(value, definitions) for key, value in referred.items() if key != "$ref"
    }


def _responses(route: Route, names: dict[type[BaseModel], str]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": route.summary}
    if route.media_type is not None:
        kinds = (route.media_type, route.other_media_type)
        answer["content"] = {kind: {} for kind in kinds if kind is not None}
    elif _is_model(route.answer):
        ref = {"$ref": _REF.format(model=names[route.answer])}
        answer["content"] = {"application/json": {"schema": ref}}
    error = {"application/json": {"schema": {"$ref": _REF.format(model="ErrorView")}}}
    answers: dict[str, Any] = {str(route.status): answer}
    if route.accepts:
        answers["202"] = answer
    for status in _possible(route):
        answers[str(status)] = {"description": _TEXTS[status], "content": error}
    return answers


def _possible(route: Route) -> list[int]:
    statuses = {400, 405, 500, 503}
    if route.permission is not Permission.PUBLIC:
        statuses |= {401, 403, 404}
    if route.body is not None or route.upload is not None:
        statuses |= {413, 422}
    if GRANTS[route.permission].writes:
        statuses |= {409, 422, 429, 507}
    if route.etag and route.method in ("PATCH", "PUT"):
        statuses.add(412)
    if route.media_type is not None:
        statuses |= {410, 416}
    return sorted(statuses)


def _is_model(answer: Any) -> bool:
    return isinstance(answer, type) and issubclass(answer, BaseModel)


def _model_name(model: type[BaseModel]) -> str:
    return model.__name__


OPENAPI_PATH = f"{PREFIX}/api/openapi.json"
