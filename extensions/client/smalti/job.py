"""One job: how it is, its log, outputs and metrics; waiting for it, stopping and repeating it."""

from __future__ import annotations

import builtins
import codecs
import fnmatch
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from smalti import decode, downloads, pages, stream, waiting
from smalti.errors import ConnectionFailed, JobNotSuccessful, UnexpectedAnswer
from smalti.retries import Trial
from smalti.transport import Call, Transport
from smalti.views import ExperimentRun, JobView, LogText, Metrics, Output, StatusChange

LOG_TYPE = {"Accept": "text/plain"}
PATIENCE = 300.0  # seconds that following and waiting last out a platform that is away


class Job:
    """A job as it was when the platform was last asked, in `view`."""

    def __init__(self, transport: Transport, view: JobView) -> None:
        self._transport = transport
        self.view = view

    @classmethod
    def read(cls, transport: Transport, value: Any) -> Job:
        """Make a job of the API's answer."""
        return cls(transport, decode.read(JobView, value))

    def __repr__(self) -> str:
        return f"Job({self.id!r}, number={self.number}, status={self.status!r})"

    @property
    def id(self) -> str:
        """The job's id."""
        return self.view.id

    @property
    def number(self) -> int:
        """The job's number within its project."""
        return self.view.number

    @property
    def status(self) -> str:
        """Queued, Pending, Preparing, Running, Finishing, Succeeded, Failed, Error, ..."""
        return self.view.status

    @property
    def reason(self) -> str | None:
        """Why the job waits or ended so, in words."""
        return self.view.reason

    @property
    def exit_code(self) -> int | None:
        """The exit code of the job's program, when it has ended."""
        return self.view.exit_code

    @property
    def is_final(self) -> bool:
        """Tell whether the job has ended."""
        return self.view.is_final

    def experiment_runs(self) -> builtins.list[ExperimentRun]:
        """List the runs in MLflow that the job logged; raise Unavailable while MLflow is away."""
        call = Call("GET", self._url("experiment-runs"), patience=3.0)
        return [decode.read(ExperimentRun, one) for one in self._transport.json(call)["items"]]

    def refresh(self) -> Job:
        """Ask again how the job is; return itself."""
        call = Call("GET", self._url(), patience=PATIENCE)
        self.view = decode.read(JobView, self._transport.json(call))
        return self

    def wait(
        self,
        timeout: float | None = None,
        *,
        check: bool = False,
        changed: Callable[[JobView], None] = lambda view: None,
    ) -> Job:
        """Wait until the job has ended, and return itself.

        `changed` is called whenever status or reason are new. Raises WaitedTooLong after
        `timeout` seconds, and with `check` JobNotSuccessful unless the job has Succeeded.
        """
        waiting.until(
            lambda: self.refresh().view,
            lambda view: view.is_final,
            name=f"job {self.number}",
            timeout=timeout,
            changed=changed,
        )
        if check and self.status != "Succeeded":
            why = f": {self.reason}" if self.reason else ""
            raise JobNotSuccessful(f"job {self.number} is {self.status}{why}", self.view)
        return self

    def logs(self, follow: bool = False, offset: int = 0) -> Iterator[str]:
        """Yield the log's text from a byte offset on, as far as it goes.

        With `follow` until the job has ended, over cuts and restarts of the platform.
        """
        if follow:
            for event in self.follow(offset):
                if isinstance(event, LogText):
                    yield event.text
            return
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for piece in self.log_bytes(offset):
            yield decoder.decode(piece)
        yield decoder.decode(b"", final=True)

    def log_bytes(self, offset: int = 0) -> Iterator[bytes]:
        """Yield the log that is there from a byte offset on, exactly as the job wrote it."""
        trial = Trial(self._transport.retry)
        while True:
            query = {"follow": "false", "offset": offset}
            call = Call("GET", self._url("logs"), query, headers=LOG_TYPE)
            try:
                with self._transport.open(call) as response:
                    for piece in response.iter_bytes():
                        offset += len(piece)
                        trial.progressed()
                        yield piece
                return
            except httpx.TransportError as error:
                if not trial.again():
                    reason = str(error) or type(error).__name__
                    raise ConnectionFailed(self._transport.address.root, reason) from error

    def follow(self, offset: int = 0) -> Iterator[LogText | StatusChange]:
        """Yield the log and each new status as they come, until the job has ended.

        A connection that breaks is taken up again at the byte where it broke. Raises
        ConnectionFailed when the platform stays away for five minutes.
        """
        start = str(offset) if offset else None
        url, query = self._url("logs"), {"offset": offset or None}
        for event in stream.follow(self._transport, url, query, start, PATIENCE):
            if event.name == "end":
                return
            if event.name == "log":
                position = _position(event)
                if position > offset:  # what was seen before is not told again
                    offset = position
                    yield LogText(offset, str(stream.data_of(event).get("text", "")))
            elif event.name == "status":
                yield decode.read(StatusChange, stream.data_of(event))

    def outputs(self) -> builtins.list[Output]:
        """List the files that the job left."""
        url = self._url("outputs")
        return builtins.list(
            pages.iterate(self._transport, url, lambda one: decode.read(Output, one))
        )

    def read_output(self, path: str) -> bytes:
        """Return one output's content. For large ones see `download`."""
        call = Call("GET", self._url("outputs", path), headers={"Accept": "*/*"})
        return self._transport.send(call).content

    def download(
        self,
        folder: str | Path,
        pattern: str = "*",
        *,
        progress: Callable[[Output, int], None] = lambda output, count: None,
    ) -> builtins.list[Path]:
        """Bring the outputs whose path fits a pattern (`*`, `?`, `[]`) into a folder.

        Streamed, checked by checksum, each file whole or not at all; what is there already
        and unchanged is not fetched again. `progress` is told of bytes as they come. Raises
        TransferFailed, also for names that are not safe, before anything is written.
        """
        chosen = [one for one in self.outputs() if fnmatch.fnmatchcase(one.path, pattern)]
        places = [(one, downloads.place(Path(folder), one.path)) for one in chosen]
        for output, target in places:
            source = downloads.Source(
                self._url("outputs", output.path),
                output.size,
                output.sha256,
                progress=lambda count, output=output: progress(output, count),  # type: ignore[misc]
            )
            downloads.fetch(self._transport, source, target)
        return [target for _, target in places]

    def metrics(self) -> Metrics:
        """Return what the job took over time, and the numbers it left in `metrics.json`."""
        return decode.read(Metrics, self._transport.json(Call("GET", self._url("metrics"))))

    def stop(self) -> Job:
        """Have the job stopped; it is Stopping, then Stopped. Returns itself."""
        return self._post("stop", {}, self)

    def rerun(self, *, newest: bool = False) -> Job:
        """Start the same again, at the same commit or the branch's newest; return the new job."""
        body = {"commit": "newest" if newest else "same"}
        return self._post("rerun", body, Job(self._transport, self.view))

    def _post(self, verb: str, body: dict[str, str], job: Job) -> Job:
        answer = self._transport.json(Call("POST", self._url(verb), json=body))
        job.view = decode.read(JobView, answer)
        return job

    def _url(self, *parts: str) -> str:
        return self._transport.address.api("jobs", self.view.id, *parts)


def _position(event: stream.ServerEvent) -> int:
    if event.id is None or not event.id.isdecimal():
        raise UnexpectedAnswer("a piece of the log came without its position")
    return int(event.id)
