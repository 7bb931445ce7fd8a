"""The event stream over HTTP."""

from __future__ import annotations

from services.core.rights import Permission
from services.core.routing import Call, Routes
from services.events.rules import topics_in
from services.events.schemas import EventsQuery
from services.events.stream import Stream

routes = Routes("events")


@routes.get("/events", Permission.EVENTS_READ, query=EventsQuery, media_type="text/event-stream")
async def listen(call: Call) -> None:
    """Hear what happens, as server-sent events."""
    query: EventsQuery = call.query(EventsQuery)
    stream = Stream(call, topics_in(query.topics))
    if call.method != "HEAD":
        await stream.run(query.last_event_id)
        return
    call.answer_with(200, {"Content-Type": "text/event-stream"})
