"""The words that a plane's agent and the control plane say to each other.

Owns the bodies of `/api/v1/agent/...`; both `services.planes.handlers` (which receives them)
and `services.planes.agent` (which sends them) import these models and nothing else of each
other. Must never hold behaviour.

The agent speaks first, always. It holds a long poll on `GET /agent/commands?after=&wait=` and
posts reports. Both directions are at-least-once: a command says what should be (level, not
edge) and carries its generation; a report says what is. Applying one twice, or an older one
after a newer one, changes nothing:

- for one workload the agent keeps the command with the highest generation only;
- the control plane keeps the report with the highest (attempt, phase rank) only.

Log pieces and outputs are put by byte offset and by path, so a repeated put is harmless too;
the answer to a log piece says where the stored log ends, and the agent goes on from there.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Message(BaseModel):
    """Base of everything said over the wire. Unknown fields are refused on both sides."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Phase(StrEnum):
    """How far a run has come, in order; a report never takes a run backwards."""

    PREPARING = "preparing"
    RUNNING = "running"
    FINISHING = "finishing"
    FINISHED = "finished"

    @property
    def rank(self) -> int:
        """Place in the order above, from 0."""
        return list(Phase).index(self)


class Outcome(StrEnum):
    """How a run finished: by its own success or failure, by ours, or by request."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ERROR = "error"
    STOPPED = "stopped"


class CapacityReport(Message):
    """What a plane has in all: cores, bytes, devices."""

    cpu: float = Field(ge=0)
    memory: int = Field(ge=0)
    gpu: int = Field(default=0, ge=0)


class SamplePoint(Message):
    """One look at a running run: cores in use, bytes resident."""

    at: datetime
    cpu: float
    memory: int


class UsageReport(Message):
    """What a run has used in all: seconds of cpu, highest bytes resident."""

    cpu_seconds: float = 0.0
    memory_peak: int = 0


class OutputEntry(Message):
    """One file that a run left in its outputs folder and that the agent has put."""

    path: str = Field(max_length=1024)
    size: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class EnvironmentOrder(Message):
    """Which environment revision to run in; `digest` names its content."""

    name: str
    revision: int
    digest: str


class LimitsOrder(Message):
    """What the run may use: cores, bytes, counts."""

    cpu: float
    memory: int
    processes: int = 1024
    disk: int = 20 << 30
    log: int = 1 << 30
    outputs: int = 20 << 30
    output_files: int = 10_000


class PlacementOrder(Message):
    """Where on a cluster a run may be put, and what it gets there beyond cores and memory.

    Planes that are one machine have no use for it. Toleration: as in a pod's manifest.
    """

    gpu: int = Field(default=0, ge=0)
    gpu_resource: str = "nvidia.com/gpu"
    node_selector: dict[str, str] = {}
    tolerations: list[dict[str, str]] = []
    shared_memory: int = Field(default=0, ge=0)


class SessionOrder(Message):
    """What makes a run interactive: a tool that answers at an address, in a folder that stays.

    `base_url` is the path under which the front door shows the tool ("/user/ada/wine/").
    `volume` names the folder that outlives the run (the workspace's id): a new one is filled
    with `branch` at the order's commit, an old one is left as it is, unless `restore` names a
    commit whose files it should have.
    """

    tool: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")
    base_url: str = Field(pattern=r"^/[A-Za-z0-9@%._~/-]*/$", max_length=512)
    volume: str
    branch: str | None = None
    restore: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}$")


class RunOrder(Message):
    """All that an agent must know to run one attempt, but for its secrets (`SecretsAnswer`).

    A job has exactly one of `argv`, `shell` and `file`; `file` is a path in the checkout whose
    ending says how it is run (.py, .ipynb, .sh, .R), with `args`. A session has `session`.
    `repository` is the path of the project's git repository under the control plane's origin,
    fetched with `token`, which is also the run's own token. `env` holds the person's variables;
    the agent adds SMALTI_*. With `secrets` there are secret ones to be asked for. `person_name`
    and `person_email` sign the commits made in a session.
    """

    kind: Literal["job", "session"]
    project_id: str
    project: str
    person_id: str
    person_name: str | None = Field(default=None, max_length=200)
    person_email: str | None = Field(default=None, max_length=320)
    repository: str
    commit: str = Field(pattern=r"^[0-9a-f]{40}$")
    argv: list[str] | None = None
    shell: str | None = None
    file: str | None = None
    args: list[str] = []
    session: SessionOrder | None = None
    environment: EnvironmentOrder
    env: dict[str, str] = {}
    secrets: bool = False
    token: str
    limits: LimitsOrder
    placement: PlacementOrder | None = None
    timeout: float | None = None
    grace: float = 10.0


class Command(Message):
    """What should be of one workload.

    run     attempt `attempt` should be running, or have run
    stop    it should not be running; report how it finished
    forget  its final report is stored: everything kept of it may go
    """

    workload_id: str
    generation: int
    attempt: int
    action: Literal["run", "stop", "forget"]
    order: RunOrder | None = None


class CommandsAnswer(Message):
    """Commands after the cursor that was asked for; ask with `cursor` next time."""

    commands: list[Command]
    cursor: int


class Activity(Message):
    """What happens in a session, as its tool tells it.

    `busy` is a sentence on what must not be disturbed ("kernel of fit.ipynb is busy"), None
    when nothing is; `connections` are people's open pages; `last` is the last time that
    somebody or something did anything.
    """

    last: datetime
    busy: str | None = Field(default=None, max_length=300)
    connections: int = Field(default=0, ge=0)


class RunReport(Message):
    """What is of one attempt. Fields that are not known yet are absent.

    `address` is where the front door reaches a session's tool, `activity` what happens there.
    """

    workload_id: str
    generation: int
    attempt: int
    phase: Phase
    outcome: Outcome | None = None
    reason: str | None = Field(default=None, max_length=2000)
    exit_code: int | None = None
    isolation: Literal["full", "namespaces", "none"] | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    usage: UsageReport | None = None
    samples: list[SamplePoint] = []
    outputs: list[OutputEntry] | None = None
    log_end: int | None = None
    last_lines: str | None = Field(default=None, max_length=20_000)
    retryable: bool = False
    address: str | None = Field(default=None, max_length=512)
    activity: Activity | None = None


class Hello(Message):
    """Said once after each (re)connection: who I am, what I can give, all that I have."""

    version: str
    instance: str = Field(max_length=64)
    isolation: Literal["full", "namespaces", "none"]
    capacity: CapacityReport
    inventory: list[RunReport] = []


class HelloAnswer(Message):
    """Everything that should be on this plane now; what the agent has besides may go.

    `poll` is how many seconds the agent should let a long poll wait.
    """

    plane_id: str
    plane: str
    commands: list[Command]
    cursor: int
    poll: float = 25.0


class Reports(Message):
    """A batch of reports, in the order in which they came about."""

    reports: list[RunReport] = Field(max_length=500)


class ReportsAnswer(Message):
    """How many of the batch changed something."""

    applied: int


class LogAnswer(Message):
    """Where the stored log of this attempt ends now, in bytes."""

    end: int


class SecretsAnswer(Message):
    """Variables of one attempt that are secret: asked for when it is prepared, never kept.

    The agent holds them in memory while the run lives, to take them out of its log. Asked again
    for the same attempt (after a restart), they are the same, whatever was changed meanwhile.
    They count more than the order's `env`, and never replace SMALTI_*.
    """

    env: dict[str, str]


class VolumesAnswer(Message):
    """The volumes of a plane that must stay; others may go, but for those of runs that live."""

    volumes: list[str]


class SnapshotBegin(Message):
    """Where a session's snapshots stand, and what of it need not be sent again.

    `objects` are ids of the blobs and trees of the newest snapshot (of the order's commit when
    there is none), `commits` are known with all that leads to them. `tree`, `parent` and
    `commit` are the newest snapshot's. Sizes in bytes: files up to `prompt` are sent at once,
    up to `largest` beside them, larger ones never.
    """

    author: str
    prompt: int
    largest: int
    total: int
    files: int
    number: int = 0
    commit: str | None = None
    tree: str | None = None
    parent: str | None = None
    objects: list[str] = []
    commits: list[str] = []


class SnapshotReport(Message):
    """A session's files as they were at a moment; the packs of all that is new were put before.

    `commit` has the files as its tree and the commit that was checked out as its parent.
    `unsafe` names files that are not in it, with why ("data.bin: 3 GiB, larger than the limit").
    `wish` is the newest wish (`SnapshotWishes`) that was known before the files were looked at.
    """

    commit: str = Field(pattern=r"^[0-9a-f]{40}$")
    taken_at: datetime
    files: int = Field(ge=0)
    size: int = Field(ge=0)
    unsafe: list[str] = Field(default=[], max_length=100)
    wish: int = Field(default=0, ge=0)


class SnapshotAnswer(Message):
    """The snapshot's number. Without one, something of it is missing: begin anew."""

    number: int | None = None


class SnapshotWishes(Message):
    """Sessions (workload ids) of a plane whose snapshot somebody waits for, by position."""

    wishes: dict[str, int]
    cursor: int


class Enrolment(Message):
    """A new agent showing its single-use enrolment token."""

    token: str = Field(max_length=200)
    version: str = Field(max_length=64)


class EnrolmentAnswer(Message):
    """The agent's own credential, shown this once."""

    plane_id: str
    plane: str
    credential: str
