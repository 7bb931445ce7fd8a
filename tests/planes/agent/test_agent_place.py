"""Where an agent finds its state, its control plane and its credential, and what it logs."""

from __future__ import annotations

import errno
import json
import logging
import os
import ssl
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.planes.agent import desired as desired_files
from services.planes.agent import settings
from services.planes.agent.client import Away, Client, Gone, NoRoom, Rejected, TooMuch, _failure
from services.planes.agent.desired import Desired
from services.planes.agent.enrol import EnrolmentFailure, enrol
from services.planes.agent.journal import JsonLines, redact
from services.planes.agent.rules import Kept
from services.planes.agent.settings import Address, SettingsError
from services.planes.protocol import Command, Outcome, RunOrder, RunReport
from tests.planes.agent.conftest import Plane, make_order, until
from tests.planes.agent.control import Control


def test_local_agent_reads_ports_and_token(tmp_path: Path) -> None:
    environ = {"SMALTI_HOME": str(tmp_path)}
    with pytest.raises(SettingsError, match="cannot read the ports"):
        settings.address(environ)
    (tmp_path / "run").mkdir()
    (tmp_path / "secrets").mkdir()
    (tmp_path / "run" / "ports.json").write_text('{"platform": 81, "frontdoor": 80}')
    with pytest.raises(SettingsError, match="credential"):
        settings.address(environ)
    (tmp_path / "secrets" / "agent-local.token").write_text("sml_x\n")
    here = settings.address(environ)
    assert here == Address(
        "http://127.0.0.1:81", "sml_x", "http://127.0.0.1:80/services/smalti/api/v1", loopback=True
    )
    found = settings.load(environ)
    assert found.home == tmp_path / "agent"
    assert found.environments == tmp_path / "environments"
    assert found.home.stat().st_mode & 0o777 == 0o700
    assert 0 < found.floor() <= settings.GiB


def test_far_agent_wants_an_encrypted_address(tmp_path: Path) -> None:
    (tmp_path / "credential").write_text("sml_y")
    environ = {"SMALTI_AGENT_HOME": str(tmp_path), "SMALTI_AGENT_URL": "https://s.example.org/x"}
    assert settings.address(environ).api == "https://s.example.org/services/smalti/api/v1"
    plain = {**environ, "SMALTI_AGENT_URL": "http://s.example.org"}
    with pytest.raises(SettingsError, match="not encrypted"):
        settings.address(plain)
    assert not settings.address({**plain, "SMALTI_AGENT_INSECURE": "1"}).loopback
    for wrong in ("ftp://x", "https://user:pw@x", "https://", "nonsense"):
        with pytest.raises(SettingsError):
            settings.address({**environ, "SMALTI_AGENT_URL": wrong})
    with pytest.raises(SettingsError, match="set SMALTI_HOME"):
        settings.address({})


def test_answers_are_sorted_by_what_to_do() -> None:
    ours = json.dumps({"error": {"code": "c", "message": "m", "request_id": "r"}}).encode()
    wanted = {404: Gone, 410: Gone, 413: TooMuch, 507: NoRoom, 422: Rejected, 500: Away, 302: Away}
    for status, kind in wanted.items():
        assert type(_failure(status, ours)) is kind
    assert type(_failure(404, b"404 page not found")) is Away
    assert type(_failure(413, b"too large")) is TooMuch
    assert type(_failure(429, ours)) is Away


def self_signed(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for localhost that nobody trusts, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, *plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return folder / "cert.pem", context


async def test_certificates_are_checked_and_redirects_not_followed(tmp_path: Path) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        if request.query["after"] == "1":
            raise web.HTTPFound("/elsewhere")
        return web.json_response({"commands": [], "cursor": 7})

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    authority, context = self_signed(tmp_path)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=context)
    async with server:
        there = Address(f"https://localhost:{server.port}", "sml_x", "", loopback=True)
        trusting = Client(lambda: there, str(authority))
        wary = Client(lambda: there)
        with pytest.raises(Away, match="certificate"):
            await wary.commands(0, 0)
        assert asked == []
        assert (await trusting.commands(0, 0)).cursor == 7
        with pytest.raises(Away, match="302"):
            await trusting.commands(1, 0)
        assert len(asked) == 2
        await wary.close()
        await trusting.close()


async def enrolling(request: web.Request) -> web.Response:
    token = (await request.json())["token"]
    if token != "sml_once":
        return web.json_response({"error": {"code": "x", "message": "no"}}, status=401)
    answer = {"plane_id": "p", "plane": "far", "credential": "sml_credential"}
    return web.json_response(answer)


async def test_enrolment_keeps_the_credential_closed(tmp_path: Path) -> None:
    app = web.Application()
    app.router.add_post(f"{settings.API_PATH}/agents/enrol", enrolling)
    file = tmp_path / "a" / "credential"
    async with TestServer(app) as server:
        origin = f"http://127.0.0.1:{server.port}"
        with pytest.raises(EnrolmentFailure, match="401"):
            await enrol(origin, "sml_twice", "1", file)
        assert not file.exists()
        answer = await enrol(origin, "sml_once", "1", file)
    assert answer.plane == "far"
    assert file.read_text() == "sml_credential\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(EnrolmentFailure, match="cannot be reached"):
        await enrol(origin, "sml_once", "1", file)


def test_log_lines_are_json_without_tokens() -> None:
    try:
        raise ValueError("sml_secretsecret")
    except ValueError:
        record = logging.LogRecord("n", 40, "f", 1, "an %s", ("sml_abc-d_e",), sys.exc_info())
    record.run = "w.1"
    line = json.loads(JsonLines().format(record))
    assert (line["event"], line["run"], line["level"]) == ("an [token]", "w.1", "error")
    assert "sml_" not in json.dumps(line)
    assert redact("Authorization: Basic c21hbHRpOnNtbF94") == "Authorization: Basic [token]"


def command(generation: int, attempt: int = 1) -> Command:
    order = make_order("0" * 40)
    return Command(
        workload_id="w", generation=generation, attempt=attempt, action="run", order=order
    )


def final(attempt: int = 1) -> RunReport:
    return RunReport(workload_id="w", generation=1, attempt=attempt, phase="finished")


def test_desired_files_come_back_as_they_were(tmp_path: Path) -> None:
    one, two = Kept(command=command(1)), Kept(command=command(1), final=final())
    three = Kept(command=command(2, attempt=2))
    files = Desired(tmp_path)
    before = None
    for kept in (one, two, three):
        files.save(kept, before)
        assert Desired(tmp_path).load() == {"w": kept}
        before = kept
    files.drop(three)
    assert Desired(tmp_path).load() == {}
    assert not any(b"sml_" in path.read_bytes() for path in tmp_path.iterdir())
    files.save(one)
    assert Desired(tmp_path).load() == {"w": one}
    (tmp_path / "w.json").write_bytes(b"")
    (tmp_path / "x.final.json").write_bytes(b"{}")
    assert Desired(tmp_path).load() == {}
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError):
        files.save(Kept(command=command(1).model_copy(update={"workload_id": "../x"})))


def test_killed_between_any_two_steps_of_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the last step was, what is read back is the entry before or after."""

    class Killed(BaseException):
        pass

    states = [
        Kept(command=command(1)),
        Kept(command=command(1), final=final()),
        Kept(command=command(2, attempt=2)),
        Kept(command=command(2, attempt=2), final=final(attempt=2)),
    ]
    real = {name: getattr(os, name) for name in ("open", "write", "rename", "close", "unlink")}
    for position in range(1, len(states)):
        for steps in range(12):
            folder = tmp_path / f"{position}-{steps}"
            files = Desired(folder)
            files.save(states[position - 1])
            left = [steps]

            def counted(name: str, left: list[int] = left) -> object:
                def act(*arguments: object, **more: object) -> object:
                    if left[0] == 0:
                        raise Killed
                    left[0] -= 1
                    return real[name](*arguments, **more)

                return act

            with monkeypatch.context() as patch:
                for name in real:
                    patch.setattr(desired_files.os, name, counted(name))
                try:
                    files.save(states[position], states[position - 1])
                except Killed:
                    left[0] = -1
            found = Desired(folder).load()["w"]
            allowed = [states[position - 1], states[position]]
            # A report that is not there yet is made again from what the runtime knows.
            allowed += [Kept(command=kept.command) for kept in allowed]
            assert found in allowed


async def test_disk_that_takes_nothing_more(
    plane: Plane, control: Control, order: RunOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk ends in a reason, not in a crash, and work goes on when there is room again."""
    plane.start()
    await control.run("w0", order)
    await control.final("w0")
    await plane.settled()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(desired_files, "_overwrite", full)
        patch.setattr("services.planes.agent.trees._write", full)
        await control.run("w1", order)
        told = await control.final("w1")
        assert told.outcome is Outcome.ERROR
        assert told.retryable
        assert "No space left on device" in (told.reason or "")
        await plane.settled()
    await control.run("w2", order)
    assert (await control.final("w2")).outcome is Outcome.SUCCEEDED
    await until(lambda: not plane.files("trash"))
