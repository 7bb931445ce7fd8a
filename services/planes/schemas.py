"""Bodies and views of data planes and hardware tiers. Memory in bytes, cpu in cores."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from services.core.shapes import RequestModel

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Cores = Annotated[float, Field(gt=0, le=4096, allow_inf_nan=False)]
Memory = Annotated[int, Field(ge=16 << 20, le=1 << 44)]
Price = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


_WORD = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
LabelKey = Annotated[str, StringConstraints(pattern=rf"^([a-z0-9.-]{{1,253}}/)?{_WORD}$")]
LabelValue = Annotated[str, StringConstraints(pattern=rf"^({_WORD})?$")]
SharedMemory = Annotated[int, Field(ge=0, le=1 << 44)]


class Toleration(RequestModel):
    """A taint of a cluster's nodes that runs on a tier bear."""

    key: LabelKey
    operator: Literal["Exists", "Equal"] = "Exists"
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None


class AmountView(BaseModel):
    """How much of everything: in all, or in use."""

    cpu: float
    memory: int
    gpu: int


class PlaneView(BaseModel):
    """A place that runs workloads."""

    id: str
    name: str
    kind: str
    status: Literal["connected", "away"]
    isolation: str
    capacity: AmountView
    used: AmountView
    version: str
    last_seen_at: datetime | None


class PlaneCreate(RequestModel):
    """A new data plane; its agent is enrolled with a single-use token afterwards."""

    name: Name


class EnrolmentView(BaseModel):
    """A single-use token that lets one agent serve the plane; shown this once."""

    token: str
    expires_at: datetime


class HardwareTierView(BaseModel):
    """An amount of hardware that a workload may ask for by name."""

    id: str
    name: str
    description: str
    cpu: float
    memory: int
    gpu: int
    plane: str
    price_per_hour: float
    max_running: int | None
    idle_minutes: int | None = Field(
        description="After so long without activity a session is ended; 0: never; null: setting."
    )
    default: bool
    node_selector: dict[str, str] = Field(description="Labels of a cluster's nodes to run on.")
    tolerations: list[Toleration]
    gpu_resource: str = Field(description="What a cluster calls the tier's GPUs.")
    shared_memory: int = Field(description="Bytes of /dev/shm on a cluster; 0: its own amount.")


class HardwareTierCreate(RequestModel):
    """A new hardware tier."""

    name: Name
    description: str = Field("", max_length=500)
    cpu: Cores
    memory: Memory
    gpu: int = Field(0, ge=0, le=64)
    plane: Name = "local"
    price_per_hour: Price = 0.0
    max_running: int | None = Field(None, ge=1, le=1_000_000)
    idle_minutes: int | None = Field(None, ge=0, le=1_000_000)
    default: bool = False
    node_selector: dict[LabelKey, LabelValue] = Field({}, max_length=20)
    tolerations: list[Toleration] = Field([], max_length=20)
    gpu_resource: LabelKey = "nvidia.com/gpu"
    shared_memory: SharedMemory = 0


class HardwareTierUpdate(RequestModel):
    """Changes to a hardware tier; what is absent stays. Running work keeps what it has."""

    description: str | None = Field(None, max_length=500)
    cpu: Cores | None = None
    memory: Memory | None = None
    gpu: int | None = Field(None, ge=0, le=64)
    price_per_hour: Price | None = None
    max_running: int | None = Field(None, ge=1, le=1_000_000)
    idle_minutes: int | None = Field(None, ge=0, le=1_000_000)
    default: bool | None = None
    node_selector: dict[LabelKey, LabelValue] | None = Field(None, max_length=20)
    tolerations: list[Toleration] | None = Field(None, max_length=20)
    gpu_resource: LabelKey | None = None
    shared_memory: SharedMemory | None = None
