"""What it means to run something on a data plane.

Owns the words that agents and runtimes share: a *run* is one attempt of one workload,
named by its `RunKey`; a `RunSpec` says what to start, a `RunState` what became of it.
Agents (`services.planes.agent`) call a `Runtime`; `spawners.process` and, on a cluster,
`spawners.kubernetes` implement it; `spawners.fakes` ships runtimes that misbehave on purpose.

Must never know of projects, rights, HTTP or databases: a runtime is given a prepared folder
and starts a program in it.

Every method is idempotent. Names of created things derive from the `RunKey`, so "it is
already there" always means "I made it": a command that is delivered twice does nothing twice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple


class RunKey(NamedTuple):
    """One attempt of one workload."""

    workload_id: str
    attempt: int

    def __str__(self) -> str:
        return f"{self.workload_id}.{self.attempt}"

    @classmethod
    def parse(cls, text: str) -> RunKey:
        """Read back what `str` wrote; ValueError when it is something else."""
        workload_id, dot, attempt = text.rpartition(".")
        if not dot or not workload_id:
            raise ValueError(f"not a run key: {text!r}")
        return cls(workload_id, int(attempt))


class Isolation(StrEnum):
    """How far one run is kept from the others and from the platform.

    full        own mounts, pid namespace and a uid of its own per person
    namespaces  own mounts and pid namespace, one uid for all
    none        nothing but the process itself
    """

    FULL = "full"
    NAMESPACES = "namespaces"
    NONE = "none"


class RunPhase(StrEnum):
    """Where a run stands, as its runtime sees it."""

    STARTING = "starting"
    RUNNING = "running"
    EXITED = "exited"
    LOST = "lost"  # it was started once and neither it nor its exit code can be found


class RunEnd(StrEnum):
    """Why an exited run ended, when it did not simply end by itself."""

    STOPPED = "stopped"
    TIME_LIMIT = "time_limit"
    OUT_OF_MEMORY = "out_of_memory"
    PROCESS_LIMIT = "process_limit"
    DISK_LIMIT = "disk_limit"
    NOT_STARTED = "not_started"  # the program could not be executed at all
    NOT_PLACED = "not_placed"  # the plane could not bring it to run: not the program's fault


@dataclass(frozen=True)
class Limits:
    """What one run may use. Bytes, cores, counts and seconds."""

    cpu: float
    memory: int
    processes: int = 1024
    disk: int = 20 << 30
    log: int = 1 << 30


@dataclass(frozen=True)
class Placement:
    """Where on a cluster a run may be put and what it gets there beyond cores and memory."""

    gpu: int = 0
    gpu_resource: str = "nvidia.com/gpu"
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, object], ...] = ()
    shared_memory: int = 0


@dataclass(frozen=True)
class RemoteSession:
    """What a run that people work in needs besides, where a runtime makes its folders.

    `volume` names what outlives the run: the checkout (the spec's `workdir`) and the `home`. A
    new one is filled with `branch` at the commit, its `origin` being `origin`; an old one is left
    as it is. The tool writes what happens into the file `activity`.
    """

    volume: str
    origin: str
    activity: Path
    branch: str | None = None


@dataclass(frozen=True)
class Remote:
    """What a runtime needs to make a run's folders itself, on whatever node it comes to.

    `url` is the project's repository; `git` is the whole environment of the git that fetches it,
    token included. `file`, when given, must be there at `commit`. `tools` are small texts by
    name, put where the run can read and execute them. `image` holds the environment. Paths of
    the spec are paths in the container.
    """

    image: str
    url: str
    commit: str
    git: Mapping[str, str]
    project_id: str
    file: str | None = None
    tools: Mapping[str, str] = field(default_factory=dict)
    placement: Placement = Placement()
    session: RemoteSession | None = None


@dataclass(frozen=True)
class RunSpec:
    """A run that is ready to start: its folders exist and its program is known.

    `workdir` and `outputs` are writable for the run; `environment` and everything in
    `readable` is visible and read-only; nothing else of the machine's state is visible.
    Inside, `workdir` is the current directory and each path keeps its name.

    A run that `endures` has programs that come and go: at its memory limit one of them is ended,
    the largest, and the rest goes on; what its folders hold at the start is not held against it.
    `home` is a home folder that outlives the run; without it the run has one of its own.
    `writable` are further folders of its own. Of these, and of `workdir`, one that is the
    person's already is left as it is.
    With `remote` the folders do not exist yet: a runtime for which that is meant makes them.
    """

    key: RunKey
    argv: tuple[str, ...]
    env: Mapping[str, str]
    workdir: Path
    outputs: Path
    environment: Path | None
    person_id: str
    limits: Limits
    timeout: float | None = None
    grace: float = 10.0
    readable: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()
    home: Path | None = None
    endures: bool = False
    remote: Remote | None = None


@dataclass(frozen=True)
class Usage:
    """What a run has used so far. Seconds and bytes."""

    cpu_seconds: float = 0.0
    memory_peak: int = 0


@dataclass(frozen=True)
class Sample:
    """One look at a running run: cores in use since the last look, bytes resident now."""

    at: datetime
    cpu: float
    memory: int


@dataclass(frozen=True)
class RunState:
    """A run as it stands now. `exit_code` is negative for a signal, as in `subprocess`.

    Of a run that goes on, `reason` is what happened to it last, if anything.
    """

    key: RunKey
    phase: RunPhase
    isolation: Isolation
    pid: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    end: RunEnd | None = None
    reason: str | None = None
    usage: Usage = field(default_factory=Usage)
    log_size: int = 0


@dataclass(frozen=True)
class Reading:
    """A program's beginning: `argv`, after which its own arguments come, and its environment."""

    argv: tuple[str, ...]
    env: dict[str, str]


@dataclass(frozen=True)
class FarReading:
    """A program that is run where the folder is: `connect` starts it and gives its two ends.

    Called with the program's own arguments. Raises RuntimeFailure, OSError.
    """

    connect: Callable[[tuple[str, ...]], Awaitable[tuple[StreamReader, StreamWriter]]]


@dataclass(frozen=True)
class Shown:
    """What is seen of a session from outside: where it answers, what its tool wrote."""

    address: str | None = None
    activity: bytes | None = None


@dataclass(frozen=True)
class Capacity:
    """What a plane can give to all its runs together. Cores, bytes, devices."""

    cpu: float
    memory: int
    gpu: int = 0


class RuntimeFailure(Exception):
    """The runtime, not the program, could not do it. The text may be shown to a person."""


class Runtime(ABC):
    """Starts, watches and ends runs. One per agent."""

    isolation: Isolation

    @abstractmethod
    async def open(self) -> None:
        """Get ready and adopt every run that an earlier process of ours left behind."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of the runs without ending them; they go on and are adopted later."""

    @abstractmethod
    async def capacity(self) -> Capacity:
        """Say how much there is to give, in all."""

    @abstractmethod
    async def start(self, spec: RunSpec) -> None:
        """Start the run, or do nothing when this key has been started before.

        Raises
        ------
        RuntimeFailure
            When nothing was started and nothing is left of the try.
        """

    @abstractmethod
    async def stop(self, key: RunKey, grace: float, end: RunEnd = RunEnd.STOPPED) -> None:
        """Ask the run to end (SIGTERM) and kill what still lives after `grace` seconds.

        Returns once asked, not once ended. Of an unknown or exited run: does nothing.
        """

    @abstractmethod
    def state(self, key: RunKey) -> RunState | None:
        """Say where a run stands, from memory; None when this runtime never had it."""

    @abstractmethod
    def states(self) -> list[RunState]:
        """Every run this runtime knows of, exited ones that were not removed included."""

    @abstractmethod
    def changes(self) -> AsyncIterator[RunState]:
        """Yield a run's state when its phase or its reason changes. One consumer; never ends."""

    @abstractmethod
    def samples(self, key: RunKey) -> list[Sample]:
        """Hand over the samples taken since the last call, oldest first."""

    @abstractmethod
    async def read_log(self, key: RunKey, offset: int, limit: int) -> bytes:
        """Read what the run has written, both streams in order, from a byte offset on.

        Returns b"" at the present end. The log's bytes never change once written.
        """

    async def bring_outputs(self, key: RunKey, folder: Path, most: int) -> list[str]:
        """Bring an ended run's outputs into a folder of this machine; remarks for a person.

        Files that would be more than `most` bytes together are left out. Nothing to do where
        runs leave their outputs on this machine anyway. Raises RuntimeFailure, OSError.
        """
        return []

    def shown(self, key: RunKey) -> Shown:
        """Say where a session answers, from memory; nothing where sessions are on this machine."""
        return Shown()

    async def sweep_volumes(self, stay: set[str]) -> list[str]:
        """Throw away what outlives runs, but for these ids; return what went. RuntimeFailure.

        Nothing to do where volumes are folders of this machine: they are the agent's.
        """
        return []

    @abstractmethod
    def reader(
        self, key: RunKey, person: str, folder: Path, readable: tuple[Path, ...]
    ) -> Reading | FarReading:
        """Say how to run our own `spawners.reader` so that it reads one folder as a person.

        It sees that folder and the `readable` ones, cannot write, and has no network, as far as
        this machine keeps runs apart. RuntimeFailure when the person has no uid here.
        """

    @abstractmethod
    async def remove(self, key: RunKey) -> None:
        """Forget an exited run and free all that the runtime made for it (log included)."""
