"""An upload that lasts longer than a minute passes the front door; Traefik would cut it at 60 s."""

from __future__ import annotations

import hashlib
import http.client
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.instance import Instance

SECONDS = 65
PIECE = b"x" * 1024


class Receiver(BaseHTTPRequestHandler):
    """Stands in the platform's place: reads a body whole and tells its digest."""

    def do_PUT(self) -> None:
        """Read by the announced length."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = json.dumps({"sha256": hashlib.sha256(body).hexdigest()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Instance]:
    """A front door with the receiver behind it."""
    with Instance(tmp_path, processes="frontdoor") as instance:
        server = ThreadingHTTPServer(("127.0.0.1", instance.ports()["platform"]), Receiver)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield instance
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_upload_of_more_than_a_minute_passes(door: Instance) -> None:
    body = PIECE * SECONDS
    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=30)
    connection.putrequest("PUT", "/services/smalti/api/v1/projects/x/content/slow.bin")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    began = time.monotonic()
    for _ in range(SECONDS):
        connection.send(PIECE)
        time.sleep(1)  # a slow line is what is tested
    answer = connection.getresponse()
    assert answer.status == 200
    assert json.loads(answer.read())["sha256"] == hashlib.sha256(body).hexdigest()
    assert time.monotonic() - began > 60
