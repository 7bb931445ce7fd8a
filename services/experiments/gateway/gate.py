"""The gate: an ASGI application that lets through to MLflow what was judged, and nothing else.

A request passes, in this order: its path is plain; MLflow is there; the table has its route;
the credential is somebody's who may use the route in the project; the body is within its limit
and says nothing that it may not. Headers that tell who and where are dropped and set anew.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from services.core.errors import BadRequest, NotFound, PublicError
from services.core.settings import Settings
from services.experiments.gateway import answers, bodies, judging, spans, table
from services.experiments.gateway.access import Access
from services.experiments.gateway.answers import Receive, Scope, Send
from services.experiments.gateway.callers import Caller, House, admit
from services.experiments.gateway.loading import Mlflow
from services.experiments.gateway.own import Own
from services.experiments.gateway.paths import is_plain, is_plain_artifact
from services.experiments.gateway.table import Kind, Need, Rule
from services.experiments.protocol import ENTER, PREFIX, SERVER_INFO, WORKSPACE, AccessAnswer

log = logging.getLogger("smalti.experiments")

# Of the caller's headers MLflow is given these; who, where and for whom are said by us.
_PASSED = frozenset(
    b"accept accept-language content-type content-length if-none-match if-modified-since range "
    b"user-agent x-mlflow-experiment-id x-mlflow-run-id transfer-encoding".split()
)


_SERVER_INFO = ("/api/3.0/mlflow/server-info", "/ajax-api/3.0/mlflow/server-info")


class Gate:
    """The application that the process serves."""

    def __init__(self, settings: Settings, access: Access, mlflow: Mlflow) -> None:
        self._settings, self._access, self._mlflow = settings, access, mlflow
        self._house = House(settings)
        self._own = Own(access, mlflow)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection or request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def noting(message: answers.Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._let_in(scope, receive, noting)
        except PublicError as error:
            if not started:
                await answers.refuse(send, error)
        except judging.Refused as error:
            await answers.refuse(send, BadRequest(str(error)))
        except bodies.Gone:
            return
        except Exception:
            log.exception("a request failed")
            if not started:
                failed = PublicError("The server failed; it is written down.", status=500)
                await answers.refuse(send, failed)

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = _path(scope)
        if path == "/health":
            await self._health(send)
            return
        if path in _SERVER_INFO:
            await answers.answer_json(send, SERVER_INFO)
            return
        app = self._mlflow.app
        caller = Caller(scope, self._house)
        rule = table.find(scope["method"], path)
        if caller.anonymous and rule is not None and path == "/":
            target = f"{ENTER}?next={quote(f'{PREFIX}/', safe='')}"
            await answers.answer(send, 302, b"", headers={"Location": target})
            return
        if rule is None:
            caller.request()  # a stranger learns nothing of which routes there are
            raise NotFound("There is no such thing here.")
        _check_query(scope, path)
        who = await admit(caller, rule, self._access)
        if rule.kind is Kind.OWN:
            await self._own.answer(caller, path, who, send)
            return
        if rule.need is not Need.SIGNED and who.project is not None and not caller.is_platform:
            await self._mlflow.ensure_workspace(who.project.id, who.project.name)
        inner = _inner_scope(scope, path, who, rule)
        await self._pass_on(app, rule, (inner, receive, send), who)

    async def _health(self, send: Send) -> None:
        if self._mlflow.ready:
            await answers.answer(send, 200, b"OK", "text/plain")
        else:
            self._mlflow.app  # noqa: B018 - says that it is not there

    async def _pass_on(
        self, app: Any, rule: Rule, call: tuple[Scope, Receive, Send], who: AccessAnswer
    ) -> None:
        scope, receive, send = call
        headers = dict(scope["headers"])
        limit = self._limit(rule)
        bodies.announced(headers, limit)
        if rule.kind is Kind.UPLOAD:
            await _stream(app, rule, (scope, bodies.Counted(receive, limit), send))
            return
        if rule.kind is Kind.SPANS:
            raw = await bodies.read(receive, limit)
            guarded = answers.guarded(send, rule.kind)
            await spans.pass_on(app, (scope, receive, guarded), raw, who)
            return
        if rule.kind is Kind.GRAPHQL or (rule.kind is Kind.JSON and scope["method"] != "GET"):
            raw = await bodies.read(receive, limit)
            body = judging.parse(raw)
            if rule.kind is Kind.GRAPHQL:
                judging.check_graphql(body)
            elif rule.need is Need.WRITE:
                body = judging.judge(scope["path"], body, who)
                raw = judging.written(body) if body or raw else b""
            scope["headers"] = _of_length(scope["headers"], len(raw))
            receive = bodies.replay(raw, receive)
        else:
            await bodies.read(receive, 0 if not headers.get(b"content-length") else limit)
            receive = bodies.replay(b"", receive)
            scope["headers"] = _of_length(scope["headers"], 0)
        await app(scope, receive, answers.guarded(send, rule.kind))

    def _limit(self, rule: Rule) -> int:
        if rule.kind is Kind.UPLOAD:
            return int(self._settings.upload_max)
        return int(self._settings.experiments_body_max)


async def _stream(app: Any, rule: Rule, call: tuple[Scope, bodies.Counted, Send]) -> None:
    scope, body, send = call

    async def unless_over(message: answers.Message) -> None:
        if not body.over:
            await send(message)

    try:
        await app(scope, body, answers.guarded(unless_over, rule.kind))
    except Exception:
        if not body.over:
            raise
    if body.over:
        raise body.refusal()


def _path(scope: Scope) -> str:
    """Take our prefix off; refuse what could be read in two ways."""
    raw = scope.get("raw_path") or scope["path"].encode()
    text = raw.decode("latin-1")
    if text == PREFIX:
        text = f"{PREFIX}/"
    if not text.startswith(f"{PREFIX}/"):
        raise NotFound("There is no such thing here.")
    inner = text.removeprefix(PREFIX)
    if not is_plain(inner):
        raise BadRequest("This path is refused: it could lead elsewhere.")
    return unquote(inner)


def _check_query(scope: Scope, path: str) -> None:
    if path.rpartition("/tags/")[1]:
        judging.check_query_key(path.rpartition("/tags/")[2])
    try:
        pairs = parse_qsl(
            scope.get("query_string", b"").decode("latin-1"),
            keep_blank_values=True,
            max_num_fields=1000,
        )
    except ValueError as error:
        raise BadRequest("The query has too many parameters.") from error
    for name, value in pairs:
        if name.lower().replace("_", "") in ("path", "artifactpath"):
            if not is_plain_artifact(value):
                raise BadRequest(f"{name} is not a path below the artifacts.")
        elif name == "key" and scope["method"] == "DELETE":
            judging.check_query_key(value)


def _inner_scope(scope: Scope, path: str, who: AccessAnswer, rule: Rule) -> Scope:
    """The request as MLflow sees it: at the root, from us, in the workspace that we say."""
    headers: list[tuple[bytes, bytes]] = [
        (bytes(name).lower(), bytes(value))
        for name, value in scope["headers"]
        if bytes(name).lower() in _PASSED
    ]
    headers.append((b"host", b"localhost"))
    if rule.need is not Need.SIGNED and who.project is not None:
        headers.append((WORKSPACE.lower().encode(), who.project.id.encode()))
    return {
        **scope,
        "path": path,
        "raw_path": quote(path).encode(),
        "root_path": "",
        "headers": headers,
        "state": {},
    }


def _of_length(headers: Iterable[tuple[bytes, bytes]], size: int) -> list[tuple[bytes, bytes]]:
    measured = (b"content-length", b"transfer-encoding")
    kept = [(name, value) for name, value in headers if name not in measured]
    return [*kept, (b"content-length", str(size).encode())]
