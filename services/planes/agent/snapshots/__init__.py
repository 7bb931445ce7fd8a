"""Saving live sessions' files: a watcher per session, a reader process for each."""

from services.planes.agent.snapshots.keeper import Snapshots

__all__ = ["Snapshots"]
