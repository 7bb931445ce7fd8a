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
