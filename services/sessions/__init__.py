"""Sessions: workspaces, interactive tools in a folder that stays, shown to the hub as servers."""

from services.sessions.schemas import WorkspacesQuery, WorkspaceView
from services.sessions.wiring import loops, provide, set_up

__all__ = ["WorkspaceView", "WorkspacesQuery", "loops", "provide", "set_up"]
