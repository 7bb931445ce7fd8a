"""Calls that go wrong: tried again where that is safe, told in one line where not."""

from __future__ import annotations

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
import smalti
from smalti import address, retries
from smalti.transport import Call, Transport

from tests.client.conftest import FAST
from tests.client.server import TOKEN, Fault, Platform


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_call_is_repeated_after_passing_failure(
    platform: Platform, client: smalti.Client, status: int
) -> None:
    platform.faults.append(Fault("GET", "/me$", times=2, status=status))
    assert client.me().name == "ada"
    assert len(platform.calls_of("GET", "/me")) == 3


def test_lost_answer_to_post_is_asked_for_again_and_done_once(
    platform: Platform, client: smalti.Client
) -> None:
    platform.faults.append(Fault("POST", "/jobs$", times=2, lose=True))
    job = client.jobs.start("wine", ["python", "train.py"])
    assert len(platform.jobs) == 1
    assert job.number == 1
    keys = {call.headers["idempotency-key"] for call in platform.calls_of("POST", "/jobs")}
    assert len(keys) == 1
    client.jobs.start("wine", ["python", "train.py"])
    assert len(platform.jobs) == 2


def test_callers_own_key_makes_two_starts_one(platform: Platform, client: smalti.Client) -> None:
    for _ in range(2):
        client.jobs.start("wine", "make", idempotency_key="nightly-7")
    assert len(platform.jobs) == 1


def test_call_that_may_happen_once_only_is_not_repeated(
    platform: Platform, client: smalti.Client
) -> None:
    platform.faults.append(Fault("POST", "/tokens$", lose=True))
    with pytest.raises(smalti.ConnectionFailed):
        client.tokens.create("ci")
    assert len(platform.own_tokens) == 1
    platform.faults.append(Fault("POST", "/tokens$", status=502))
    with pytest.raises(smalti.ServerError):
        client.tokens.create("ci")


def test_retry_after_is_honoured(platform: Platform, client: smalti.Client) -> None:
    platform.faults.append(Fault("GET", "/me$", status=503, headers={"Retry-After": "1"}))
    began = time.monotonic()
    client.me()
    assert time.monotonic() - began >= 1


def test_retry_after_beyond_patience_is_told_at_once(
    platform: Platform, client: smalti.Client
) -> None:
    platform.faults.append(Fault("GET", "/me$", status=429, headers={"Retry-After": "600"}))
    began = time.monotonic()
    with pytest.raises(smalti.TooMany) as caught:
        client.me()
    assert caught.value.status == 429
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3), ("Wed, 21 Oct 2026 07:28:10 GMT", 10), ("soon", None), (None, None), ("", None)],
)
def test_retry_after_is_read(value: str | None, seconds: float | None) -> None:
    now = 1_792_567_680.0  # 07:28:00 of that day
    assert retries.retry_after(value, now) == seconds


def test_delays_grow_and_stay_bounded() -> None:
    retry = smalti.Retry(first=0.1, most=3.0)
    for failures in range(1, 2000):
        top = min(3.0, 0.1 * 2.0 ** min(failures - 1, 30))
        assert top / 2 <= retry.delay(failures) <= top


def test_broken_answer_is_asked_for_again(platform: Platform, client: smalti.Client) -> None:
    platform.faults.append(Fault("GET", "/me$", cut_at=5))
    assert client.me().name == "ada"


def test_repeated_delete_that_finds_nothing_has_worked(
    platform: Platform, client: smalti.Client
) -> None:
    platform.faults.append(Fault("DELETE", "/projects/", lose=True))
    client.projects.delete("wine")
    assert not platform.projects


def test_first_delete_that_finds_nothing_is_told(client: smalti.Client) -> None:
    with pytest.raises(smalti.NotFound):
        client.tokens.revoke("tok9")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, smalti.BadRequest), (401, smalti.Unauthorized), (403, smalti.Forbidden),
     (404, smalti.NotFound), (409, smalti.Conflict), (410, smalti.NotFound),
     (412, smalti.PreconditionFailed), (422, smalti.BadRequest), (500, smalti.ServerError)],
)  # fmt: skip
def test_status_gives_error(
    platform: Platform, client: smalti.Client, status: int, kind: type[smalti.ApiError]
) -> None:
    body = b'{"error": {"code": "c", "message": "m\\nn", "details": [1], "request_id": "r"}}'
    platform.faults.append(Fault("GET", "/me$", status=status, body=body))
    with pytest.raises(kind) as caught:
        client.me()
    error = caught.value
    assert (error.code, error.status, error.request_id, error.details) == ("c", status, "r", [1])
    assert error.message.startswith("m n")


SHAPELESS = [b"404 page not found\n", b"", b"<html>", b"[]", b'{"error": 3}', b"\xff"]


@pytest.mark.parametrize("body", [*SHAPELESS, b'{"error":{}}'])
def test_error_in_any_shape_is_told(platform: Platform, client: smalti.Client, body: bytes) -> None:
    platform.faults.append(Fault("GET", "/me$", status=409, body=body))
    with pytest.raises(smalti.Conflict):
        client.me()


@pytest.mark.parametrize("body", SHAPELESS)
def test_404_of_a_front_door_without_routes_passes(
    platform: Platform, client: smalti.Client, body: bytes
) -> None:
    platform.faults.append(Fault("GET", "/me$", times=2, status=404, body=body))
    assert client.me().name == "ada"
    platform.faults.append(Fault("POST", "/tokens$", times=2, status=404, body=body))
    client.tokens.create("ci")
    assert len(platform.own_tokens) == 1
    assert len(platform.calls_of("POST", "/tokens")) == 3


@pytest.mark.parametrize("body", [b'{"error":{}}', b'{"status": 404, "message": "Not Found"}'])
def test_404_in_smaltis_words_is_believed_at_once(
    platform: Platform, client: smalti.Client, body: bytes
) -> None:
    platform.faults.append(Fault("GET", "/me$", times=2, status=404, body=body))
    with pytest.raises(smalti.NotFound):
        client.me()
    assert len(platform.calls_of("GET", "/me")) == 1


def test_404_of_a_front_door_is_waited_for_as_long_as_a_restart(
    platform: Platform, client: smalti.Client
) -> None:
    client.me()
    platform.faults.append(Fault("GET", "/me$", times=10_000, status=404, body=SHAPELESS[0]))
    began = time.monotonic()
    with pytest.raises(smalti.UnexpectedAnswer, match="answered 404"):
        client.me()
    assert time.monotonic() - began > FAST.patience / 2


def test_404_where_smalti_has_never_answered_is_told_soon(
    platform: Platform, client: smalti.Client
) -> None:
    platform.faults.append(Fault("GET", "/me$", times=10_000, status=404, body=SHAPELESS[0]))
    began = time.monotonic()
    with pytest.raises(smalti.UnexpectedAnswer, match="is it a Smalti server"):
        client.me()
    assert time.monotonic() - began < FAST.patience / 2


def test_404_of_a_front_door_deletes_nothing(platform: Platform, client: smalti.Client) -> None:
    client.me()
    fault = Fault("DELETE", "/tokens/", times=10_000, status=404, body=SHAPELESS[0])
    platform.faults.append(fault)
    with pytest.raises(smalti.UnexpectedAnswer):
        client.tokens.revoke("tok1")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b"\xff"])
def test_answer_that_is_not_smaltis_is_told(
    platform: Platform, client: smalti.Client, body: bytes
) -> None:
    kind = {"Content-Type": "application/json" if body != b"<html>" else "text/html"}
    platform.faults.append(Fault("GET", "/me$", status=200, body=body, headers=kind))
    with pytest.raises(smalti.UnexpectedAnswer):
        client.me()


def test_address_where_nobody_listens_is_told_soon() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    began = time.monotonic()
    address_there = f"http://localhost:{port}"
    refused = pytest.raises(smalti.ConnectionFailed, match=address_there)
    with smalti.connect(address_there, "t") as client, refused as caught:
        client.me()
    assert time.monotonic() - began < 5
    assert caught.value.address == f"http://localhost:{port}"


def test_server_that_was_there_is_waited_for(platform: Platform, client: smalti.Client) -> None:
    client.me()
    platform.server.shutdown()
    platform.server.server_close()
    client.transport._http.close()
    again = smalti.connect(platform.url, TOKEN, retry=FAST)
    again.transport._reached = True
    later = threading.Timer(0.3, lambda: _serve_once(platform.port))
    later.start()
    assert again.me().name == "late"
    later.join()
    again.close()


def _serve_once(port: int) -> None:
    class Late(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Keep quiet."""

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"id": "1", "name": "late"}')

    with HTTPServer(("127.0.0.1", port), Late) as server:
        server.handle_request()


def test_names_under_localhost_are_reached_here_with_their_name(platform: Platform) -> None:
    with smalti.connect(f"http://ada.localhost:{platform.port}", TOKEN, retry=FAST) as client:
        client.me()
    assert platform.calls[0].headers["host"] == f"ada.localhost:{platform.port}"


def test_this_machine_is_reached_without_proxy(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    for host in ("localhost", "127.0.0.1", "x.localhost"):
        with smalti.connect(f"http://{host}:{platform.port}", TOKEN, retry=FAST) as client:
            assert client.me().name == "ada"


def test_redirect_elsewhere_is_not_followed_and_token_stays(platform: Platform) -> None:
    with Platform() as other:
        away = {"Location": f"http://127.0.0.1:{other.port}/services/smalti/api/v1/me"}
        platform.faults.append(Fault("GET", "/me$", status=302, headers=away))
        refused = pytest.raises(smalti.UnexpectedAnswer, match="redirects to")
        with smalti.connect(platform.url, TOKEN, retry=FAST) as client, refused:
            client.me()
        assert other.calls == []


def test_redirect_within_server_is_followed_for_reading_only(
    platform: Platform, client: smalti.Client
) -> None:
    here = {"Location": "/services/smalti/api/v1/me"}
    platform.faults.append(Fault("GET", "/environments$", status=307, headers=here))
    call = Call("GET", client.target.address.api("environments"))
    assert client.transport.json(call)["name"] == "ada"
    platform.faults.append(Fault("POST", "/jobs$", status=307, headers=here))
    with pytest.raises(smalti.UnexpectedAnswer):
        client.jobs.start("wine", "x")
    platform.faults.append(Fault("GET", "/me$", times=9, status=302, headers=here))
    with pytest.raises(smalti.UnexpectedAnswer, match="circle"):
        client.me()


def test_call_without_token_is_not_sent(platform: Platform) -> None:
    with smalti.connect(platform.url) as client:
        with pytest.raises(smalti.NotLoggedIn, match="smalti login"):
            client.me()
        assert client.health().status == "ok"
    assert [call.path for call in platform.calls] == ["/services/smalti/health"]
    assert "authorization" not in platform.calls[0].headers


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "ümlaut"])
def test_token_that_is_none_is_refused_here(token: str) -> None:
    with pytest.raises(smalti.ConfigurationError):
        Transport(address.parse("localhost"), token)


def test_health_that_is_bad_is_an_answer(platform: Platform, client: smalti.Client) -> None:
    platform.health = "failed"
    assert client.health().status == "failed"
    assert len(platform.calls) == 1


def test_wrong_token_says_to_log_in(platform: Platform) -> None:
    refused = pytest.raises(smalti.Unauthorized, match="smalti login")
    with smalti.connect(platform.url, "wrong", retry=FAST) as client, refused:
        client.me()


def test_list_that_does_not_end_is_told(platform: Platform, client: smalti.Client) -> None:
    page = b'{"items": [], "next_cursor": "x"}'
    kind = {"Content-Type": "application/json"}
    platform.faults.append(Fault("GET", "/planes$", times=9, status=200, body=page, headers=kind))
    with pytest.raises(smalti.UnexpectedAnswer, match="does not end"):
        list(client.planes)


def test_client_serves_many_threads(platform: Platform, client: smalti.Client) -> None:
    names: list[str] = []
    threads = [threading.Thread(target=lambda: names.append(client.me().name)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names == ["ada"] * 8


def test_certificates_are_verified() -> None:
    transport = Transport(address.parse("https://x.org"), "t")
    pools = [transport._http._transport, *transport._http._mounts.values()]
    contexts = [pool._pool._ssl_context for pool in pools if isinstance(pool, httpx.HTTPTransport)]
    assert contexts
    assert all(one is not None and one.check_hostname for one in contexts)
    transport.close()
