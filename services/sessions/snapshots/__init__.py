"""Snapshots: a live session's files, saved every few seconds in a repository of their own.

`restore_for_start` and `forget` are for the noun of workspaces: what a start is to restore, and
what goes when a workspace is deleted for good.
"""

from services.sessions.snapshots.actions import forget, restore_for_start
from services.sessions.snapshots.wiring import loops, provide

__all__ = ["forget", "loops", "provide", "restore_for_start"]
