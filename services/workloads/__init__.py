"""The engine that all workloads share: queue, steps, agents' reports, logs, outputs."""

from services.workloads import logs, outputs
from services.workloads.code import Code, Workbench
from services.workloads.engine import NewWorkload, create, stop
from services.workloads.rules import Status, cost
from services.workloads.store import load
from services.workloads.tables import samples, workloads
from services.workloads.wiring import loops, provide

__all__ = [
    "Code",
    "NewWorkload",
    "Status",
    "Workbench",
    "cost",
    "create",
    "load",
    "logs",
    "loops",
    "outputs",
    "provide",
    "samples",
    "stop",
    "workloads",
]
