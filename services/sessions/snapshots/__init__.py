"""Snapshots: a live session's files, saved every few seconds in a repository of their own.

`restore_for_start`, `restored` and `forget` are for the noun of workspaces: what a start is to
restore, that it has done so, and what goes when a workspace is deleted for good.
"""

from services.sessions.snapshots.actions import forget, restore_for_start, restored
from services.sessions.snapshots.wiring import loops, provide

__all__ = ["forget", "loops", "provide", "restore_for_start", "restored"]
