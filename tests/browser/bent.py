"""Answers of the platform, bent on their way to the browser: longer, in other scripts, failing.

Used by `test_bad_input`: what people and programs may have written anywhere is put everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

API = "**/services/smalti/api/v1/**"
MLFLOW = "**/services/mlflow/ajax-api/**"
# Fields that hold what somebody wrote, or what a program said.
FREE = {
    "name", "title", "description", "reason", "command", "file", "args", "tags", "message",
    "subject", "author", "full_name", "email", "last_lines", "path", "clone_url", "url", "text",
}  # fmt: skip
FREE_IN_MLFLOW = {"run_name", "name", "key", "value", "description", "alias", "path"}
KEPT = ("/events", "/logs", "/content/")


def bend_texts(page: Page, bent: Callable[[str], str]) -> None:
    """Put `bent` of it in the place of every free text of every JSON answer, MLflow's too."""

    from playwright.sync_api import Error

    def handle(route: Route, fields: set[str]) -> None:
        asks = route.request.method == "GET" or route.request.url.endswith("/search")
        if not asks or any(part in route.request.url for part in KEPT):
            route.continue_()
            return
        try:
            answer = route.fetch()
            if "json" not in answer.headers.get("content-type", ""):
                route.fulfill(response=answer)
                return
            body = json.dumps(_bent(answer.json(), bent, fields))
            route.fulfill(response=answer, body=body)
        except Error as error:  # the page went elsewhere while its answer was on the way
            if "disposed" not in str(error) and "closed" not in str(error):
                raise

    page.route(API, lambda route: handle(route, FREE))
    page.route(MLFLOW, lambda route: handle(route, FREE_IN_MLFLOW))


def _bent(value: Any, bent: Callable[[str], str], fields: set[str], key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _bent(one, bent, fields, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_bent(one, bent, fields, key) for one in value]
    if isinstance(value, str) and key in fields:
        return bent(value)
    return value


def answer_all(page: Page, status: int, body: str, media_type: str = "application/json") -> None:
    """Answer every call of the API, but for the event stream, with the same."""

    def handle(route: Route) -> None:
        if "/events" in route.request.url:
            route.continue_()
            return
        route.fulfill(status=status, body=body, content_type=media_type)

    page.route(API, handle)
    page.route(MLFLOW, handle)
