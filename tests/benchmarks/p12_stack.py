"""P12: the whole embedded stack, idle and starting, beside a plain JupyterHub with its proxy."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.benchmarks.plain_hub import PlainHub
from tests.benchmarks.platform_use import descendants, pss, settle
from tests.benchmarks.rows import Row
from tests.instance import EVERY_PROCESS, Instance

IDLE_SECONDS = 60
MLFLOW = "experiments"


def run() -> list[Row]:
    """Measure an instance of its own with all processes, MLflow's among them."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Instance(Path(folder), processes=EVERY_PROCESS) as smalti,
    ):
        settle(smalti)
        smalti.wait_ready(MLFLOW, seconds=100)
        return _measure(smalti)


def _measure(smalti: Instance) -> list[Row]:
    smalti.down()
    began = time.monotonic()
    smalti.up()
    ready = time.monotonic() - began
    smalti.wait_ready(MLFLOW, seconds=100)
    mlflow_ready = time.monotonic() - began
    settle(smalti)
    with tempfile.TemporaryDirectory() as folder:
        hub = PlainHub(Path(folder))
        hub.start()
        hub.stop()
        plain_ready = hub.start()
        try:
            time.sleep(IDLE_SECONDS)
            plain = pss(hub.process.pid) / 1e6
        finally:
            hub.stop()
    mine = {name: pss(pid) / 1e6 for name, pid in smalti.pids().items() if name != "supervisor"}
    mine["supervisor"] = pss(smalti.pid("supervisor")) / 1e6 - _below(smalti)
    mlflow = mine.pop(MLFLOW)
    total = sum(mine.values())
    parts = ", ".join(f"{name} {size:.0f}" for name, size in sorted(mine.items()))
    print(f"PSS in MB: {parts}; MLflow's {mlflow:.0f}")
    return [
        Row("P12", f"idle {IDLE_SECONDS} s, PSS of all but MLflow", f"{total:.0f} MB",
            f"plain JupyterHub: {plain:.0f} MB", "under 600 MB", total < 600),
        Row("P12", f"idle {IDLE_SECONDS} s, PSS of MLflow", f"{mlflow:.0f} MB", "", "", None),
        Row("P12", "warm start until all but MLflow is ready", f"{ready:.1f} s",
            f"plain JupyterHub: {plain_ready:.1f} s", "15 s", ready <= 15),
        Row("P12", "warm start until MLflow is ready", f"{mlflow_ready:.1f} s", "", "30 s",
            mlflow_ready <= 30),
    ]  # fmt: skip


def _below(smalti: Instance) -> float:
    """PSS in MB of the processes that are counted by themselves and sit below the supervisor."""
    under = set(descendants(smalti.pid("supervisor")))
    counted = [pid for name, pid in smalti.pids().items() if name != "supervisor"]
    return sum(pss(pid) for pid in counted if pid in under) / 1e6
