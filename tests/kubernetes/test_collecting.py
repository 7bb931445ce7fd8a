"""What is believed of a collector: nothing that would write elsewhere or count wrongly."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from spawners.kubernetes.collecting import Away, Collectors, Door
from tests.instance import free_port

END = b'{"kind": "end"}\n'


@pytest.fixture
async def says() -> AsyncIterator[tuple[dict[str, bytes], Collectors]]:
    """What a collector answers when it is asked for outputs, and who asks."""
    said: dict[str, bytes] = {}

    async def outputs(_: web.Request) -> web.Response:
        return web.Response(body=said["outputs"])

    app = web.Application()
    app.router.add_get("/outputs", outputs)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    collectors = Collectors(port)
    yield said, collectors
    await collectors.close()
    await runner.cleanup()


def file(name: bytes, content: bytes, size: int | None = None) -> bytes:
    """One file as a collector hands it over."""
    head = {"kind": "file", "name": name.hex(), "size": len(content) if size is None else size}
    return json.dumps(head).encode() + b"\n" + content


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(file(b"a", b"", -1) + END, id="a size below nothing"),
        pytest.param(b'{"kind": "file", "name": "61"}\n' + END, id="no size"),
        pytest.param(b'{"kind": "file", "name": "xy", "size": 0}\n' + END, id="no name"),
        pytest.param(b"[]\n", id="no object"),
        pytest.param(b"x" * (1 << 20) + b"\n", id="a line without an end"),
        pytest.param(file(b"a", b"cut", 10), id="cut off"),
        pytest.param(b"", id="nothing"),
    ],
)
async def test_an_answer_that_cannot_be_is_none(
    says: tuple[dict[str, bytes], Collectors], tmp_path: Path, answer: bytes
) -> None:
    said, collectors = says
    said["outputs"] = answer
    with pytest.raises(Away):
        await collectors.outputs(Door("127.0.0.1", "key"), tmp_path, 1 << 20)


async def test_nothing_is_written_elsewhere_and_no_more_than_allowed(
    says: tuple[dict[str, bytes], Collectors], tmp_path: Path
) -> None:
    said, collectors = says
    folder = tmp_path / "outputs"
    folder.mkdir()
    names = (b"../out", b"/out", b"a/../../out", b"ok/in.txt", b"large")
    files = [file(name, b"large" * 100 if name == b"large" else b"text") for name in names]
    said["outputs"] = b"".join(files) + END
    left = await collectors.outputs(Door("127.0.0.1", "key"), folder, 100)
    assert left == ["../out", "/out", "a/../../out", "large"]
    found = [one.relative_to(tmp_path).as_posix() for one in tmp_path.rglob("*") if one.is_file()]
    assert found == ["outputs/ok/in.txt"]
