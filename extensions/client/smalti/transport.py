"""HTTP with one server: retries, keys against doubled calls, errors, and where a token may go.

Used by everything that calls the platform or the hub. It must send the token to no other
origin than its server's, and follow a redirect nowhere else; it must not retry what could
then happen twice.
"""

from __future__ import annotations

import contextlib
import json
import platform
import re
import ssl
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from smalti import __version__
from smalti.address import Address, is_localhost, origin_of
from smalti.errors import (
    ConfigurationError,
    ConnectionFailed,
    NotLoggedIn,
    UnexpectedAnswer,
    kind_of,
)
from smalti.retries import RETRIED, Retry, Trial, retry_after

REDIRECTS = 5
ERROR_BYTES = 100_000  # of an error's body that are read
SILENCE = 120.0  # seconds without a byte after which an answer is given up
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True)
class Call:
    """One request. `body` makes a fresh stream for each try; `once` forbids another try
    wherever the first may have been carried out; `patience` and `silence` (the longest wait
    for a byte) are in seconds."""

    method: str
    url: str
    query: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    body: Callable[[], Iterable[bytes]] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    once: bool = False
    patience: float | None = None
    silence: float | None = None
    anonymous: bool = False
    accept: frozenset[int] = frozenset()


class _Here(httpx.HTTPTransport):
    """Reaches names under `localhost`, which not every system resolves, at 127.0.0.1."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        if is_localhost(host):
            # The Host header is set already and keeps the name, and so does TLS.
            request = httpx.Request(
                request.method,
                request.url.copy_with(host="127.0.0.1"),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": host},
            )
        return super().handle_request(request)


class Transport:
    """The connection to one server. May be used from several threads at once."""

    def __init__(self, address: Address, token: str | None, retry: Retry | None = None) -> None:
        if token is not None and not re.fullmatch(r"[\x21-\x7e]+", token):
            raise ConfigurationError("the token is empty or holds characters that no token has")
        self.address = address
        self.retry = retry or Retry()
        self._token = token
        self._origin = address.origin
        self._reached = False
        # Proxies of the environment are for other hosts, never for this machine.
        trust = _trust(self._origin.scheme)
        here = _Here(verify=trust)
        mounts = {"all://*localhost": here, "all://127.0.0.1": here}
        agent = f"smalti/{__version__} python/{platform.python_version()}"
        self._http = httpx.Client(
            mounts=mounts, verify=trust, timeout=_timeouts(SILENCE), headers={"User-Agent": agent}
        )

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._http.close()

    @property
    def has_token(self) -> bool:
        """Tell whether calls will carry a token."""
        return self._token is not None

    def json(self, call: Call) -> Any:
        """Make a call and return its decoded JSON (None for an empty answer)."""
        response = self.send(call)
        if response.status_code == 204 or not response.content:
            return None
        kind = response.headers.get("content-type", "nothing")
        if "json" in kind:
            with contextlib.suppress(ValueError):
                return response.json()
        raise UnexpectedAnswer(
            f"{self.address.root} answered with {kind} instead of JSON; is it a Smalti server?"
        )

    def send(self, call: Call) -> httpx.Response:
        """Make a call and read its whole answer; what comes broken is asked for again."""
        headers, trial = self._headers(call), Trial(self.retry, call.patience)
        while True:
            with self._tried(call, headers, trial) as response:
                try:
                    response.read()
                except httpx.TransportError as error:
                    if call.once or not trial.again():
                        raise self._unreached(error) from error
                    continue
                return response

    @contextlib.contextmanager
    def open(self, call: Call) -> Iterator[httpx.Response]:
        """Make a call and give its answer to be read as a stream.

        Retries end when the answer begins: a stream that breaks raises httpx.TransportError
        at its reader, who alone knows how to go on.
        """
        with self._tried(call, self._headers(call), Trial(self.retry, call.patience)) as response:
            yield response

    @contextlib.contextmanager
    def _tried(self, call: Call, headers: dict[str, str], trial: Trial) -> Iterator[httpx.Response]:
        while True:
            try:
                response = self._followed(call, headers)
            except httpx.TransportError as error:
                if not self._may_repeat(call, error) or not self._again(trial, error):
                    raise self._unreached(error) from error
                continue
            with contextlib.closing(response):
                refused = response.status_code >= 400 and response.status_code not in call.accept
                said = _said(response) if refused else None
                if refused and self._passes(call, response, said, trial):
                    continue
                self._reached = self._reached or not refused
                # What a try before this one has deleted is gone, as was asked for.
                gone = response.status_code == 404 and call.method == "DELETE"
                if said is not None and gone and trial.failures > 0:
                    response, refused = httpx.Response(204, request=response.request), False
                if refused:
                    raise self._refusal(response, said)
                yield response
                return

    def _passes(
        self, call: Call, response: httpx.Response, said: dict[str, Any] | None, trial: Trial
    ) -> bool:
        """Wait if a refusal may pass and the call be made again; tell whether."""
        status = response.status_code
        # A front door that has just started knows no route, and passes no call on.
        stray = status == 404 and said is None
        strange = stray and not self._reached
        self._reached = self._reached or not stray
        soon = status in RETRIED and (not call.once or status in {429, 503})
        after = retry_after(response.headers.get("retry-after"))
        patience = self.retry.unreached if strange else None
        return (soon or stray) and trial.again(after=after, patience=patience)

    def _followed(self, call: Call, headers: dict[str, str]) -> httpx.Response:
        url, query = call.url, {k: v for k, v in call.query.items() if v is not None}
        for _ in range(REDIRECTS):
            response = self._once(call, httpx.URL(url, params=query) if query else url, headers)
            location = response.headers.get("location")
            if not response.is_redirect or location is None:
                return response
            response.close()
            target = str(response.url.join(location))
            if call.method not in {"GET", "HEAD"} or not self._is_ours(target):
                raise UnexpectedAnswer(
                    f"{self.address.root} redirects to {target.partition('?')[0]}, "
                    "which is not followed; give that server's address if you trust it"
                )
            url, query = target, {}
        raise UnexpectedAnswer(f"{self.address.root} redirects in a circle")

    def _once(self, call: Call, url: httpx.URL | str, headers: dict[str, str]) -> httpx.Response:
        extra: dict[str, Any] = {"json": call.json} if call.json is not None else {}
        if call.body is not None:
            extra["content"] = call.body()
        if call.silence is not None:
            extra["timeout"] = _timeouts(call.silence)
        request = self._http.build_request(call.method, url, headers=headers, **extra)
        return self._http.send(request, stream=True, follow_redirects=False)

    def _headers(self, call: Call) -> dict[str, str]:
        headers = {"Accept": "application/json", **call.headers}
        if call.method == "POST" and not any(k.lower() == "idempotency-key" for k in headers):
            headers["Idempotency-Key"] = str(uuid.uuid4())
        if not call.anonymous and self._is_ours(call.url):
            if self._token is None:
                raise NotLoggedIn(f"not logged in to {self.address.root}: run `smalti login`")
            headers["Authorization"] = f"Bearer {self._token}"
        return headers

    def _is_ours(self, url: str) -> bool:
        try:
            return origin_of(url) == self._origin
        except ConfigurationError:
            return False

    def _may_repeat(self, call: Call, error: httpx.TransportError) -> bool:
        return not call.once or isinstance(error, _NEVER_SENT)

    def _again(self, trial: Trial, error: httpx.TransportError) -> bool:
        strange = isinstance(error, _NEVER_SENT) and not self._reached
        return trial.again(patience=self.retry.unreached if strange else None)

    def _unreached(self, error: httpx.TransportError) -> ConnectionFailed:
        reason = str(error) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
        return ConnectionFailed(self.address.root, reason.splitlines()[0][:300])

    def _refusal(self, response: httpx.Response, said: dict[str, Any] | None) -> Exception:
        status, error = response.status_code, said or {}
        message = f"{self.address.root} answered {status} {response.reason_phrase}"
        if said is None and status == 404:
            return UnexpectedAnswer(f"{message}, not in Smalti's words; is it a Smalti server?")
        if said is not None:
            message = str(said.get("message") or f"refused with status {status}")
        if status == 401:
            message = f"{message.rstrip('.')}. Log in to {self.address.root} again: `smalti login`"
        return kind_of(status)(
            " ".join(message.split()),
            code=str(error.get("code") or f"http_{status}"),
            status=status,
            request_id=error.get("request_id") or response.headers.get("x-request-id"),
            details=error.get("details"),
        )


def _timeouts(silence: float) -> httpx.Timeout:
    return httpx.Timeout(connect=10, read=silence, write=SILENCE, pool=10)


def _trust(scheme: str) -> ssl.SSLContext:
    """Return whose certificates are believed: nobody's where none will be shown, because
    reading the list of those who are takes longer than many a call."""
    if scheme == "https":
        return httpx.create_ssl_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _said(response: httpx.Response) -> dict[str, Any] | None:
    """Return the error object in an answer, the platform's or the hub's; None for any other."""
    said: Any = None
    with contextlib.suppress(ValueError, httpx.TransportError, UnicodeDecodeError):
        said = json.loads(_beginning(response))
    error = said.get("error") if isinstance(said, dict) else None
    if isinstance(error, dict):
        return error
    if isinstance(said, dict) and isinstance(said.get("message"), str):
        return {"message": said["message"]}  # the hub's shape
    return None


def _beginning(response: httpx.Response) -> bytes:
    read = bytearray()
    for piece in response.iter_bytes():
        read += piece
        if len(read) > ERROR_BYTES:
            break
    return bytes(read)
