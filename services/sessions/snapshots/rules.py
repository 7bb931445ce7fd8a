"""Pure decisions on snapshots: which ones are kept as they grow old."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True)
class Plan:
    """How long which snapshots are kept: all of them, then one a minute, an hour, a day."""

    all_minutes: float
    minutely_hours: float
    hourly_days: float
    daily_days: float

    def grain(self, age: timedelta) -> timedelta | None:
        """Say how far apart snapshots of an age are; None when they are not kept."""
        if age <= timedelta(minutes=self.all_minutes):
            return timedelta(0)
        if age <= timedelta(hours=self.minutely_hours):
            return timedelta(minutes=1)
        if age <= timedelta(days=self.hourly_days):
            return timedelta(hours=1)
        if age <= timedelta(days=self.daily_days):
            return timedelta(days=1)
        return None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def thinned(taken: Sequence[tuple[int, datetime]], now: datetime, plan: Plan) -> set[int]:
    """Say which snapshots (number, time) go. The newest stays, whatever its age.

    Of each minute, hour or day the last one stays; slots are those of the clock, so that the
    answer does not depend on when, or how often, it is asked.
    """
    ordered = sorted(taken, reverse=True)
    gone: set[int] = set()
    filled: set[tuple[timedelta, int]] = set()
    for number, at in ordered[1:]:
        grain = plan.grain(now - at)
        if grain is None:
            gone.add(number)
        elif grain:
            slot = (grain, (at - _EPOCH) // grain)
            if slot in filled:
                gone.add(number)
            filled.add(slot)
    return gone
