"""The engine that all workloads share: queue, steps, agents' reports, logs, outputs."""

from services.workloads import logs, outputs
from services.workloads.code import Code, Workbench
from services.workloads.engine import NewWorkload, create, stop
from services.workloads.interactive import end_of, keep
from services.workloads.kinds import Kinds, Listener
from services.workloads.rules import FINAL, Status, Step, cost
from services.workloads.store import load
from services.workloads.tables import samples, workloads
from services.workloads.wiring import loops, provide

__all__ = [
    "FINAL",
    "Code",
    "Kinds",
    "Listener",
    "NewWorkload",
    "Status",
    "Step",
    "Workbench",
    "cost",
    "create",
    "end_of",
    "keep",
    "load",
    "logs",
    "loops",
    "outputs",
    "provide",
    "samples",
    "stop",
    "workloads",
]
