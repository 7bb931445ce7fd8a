"""What an event stream is asked for."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class EventsQuery(BaseModel):
    """Which events to send, and after which."""

    model_config = ConfigDict(extra="forbid")

    topics: str | None = Field(
        None, max_length=200, description="Topics with commas between them; all when left out."
    )
    last_event_id: int | None = Field(
        None,
        ge=0,
        lt=10**18,
        description="Id of the last event that was seen, as the Last-Event-ID header has it.",
    )
