"""What an operator may choose about the process runtime.

Read by `ProcessRuntime` and the parts it is made of. Must hold no state.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class ProcessSettings:
    """Settings of one machine's runtime.

    Attributes
    ----------
    state:
        Folder of the runtime alone; made with mode 0700.
    isolation:
        "auto" takes the strongest that a real trial shows to work; a named one is a demand,
        and `open` fails where it cannot be met ("none" is always met).
    groups:
        How limits are held: control groups by version, "sampling" for none, or "auto".
    runs_unit:
        A systemd unit that does nothing but hold runs, and in whose control group of version 2
        they are kept; empty for this process's own group.
    cpu, memory:
        Capacity in cores and bytes; None for what the machine and its control group give.
    oversubscription:
        Factor on the cores that are given away; memory is never given twice.
    sample_interval:
        Seconds between two looks at all running runs.
    start_patience:
        Seconds after which a start that nothing answered is taken back.
    first_uid, uids:
        Reserved range of uids for persons; no account of the machine may lie in it.
    system:
        Further folders that every run may read, beside /usr and what belongs to it.
    hidden:
        Folders that no run may see even where they lie below a readable one; `state` always is.
    bwrap:
        The sandbox program; None finds the packaged one, else that on PATH.
    """

    state: Path
    isolation: Literal["auto", "full", "namespaces", "none"] = "auto"
    groups: Literal["auto", "v2", "v1", "sampling"] = "auto"
    runs_unit: str = ""
    cpu: float | None = None
    memory: int | None = None
    oversubscription: float = 1.0
    sample_interval: float = 5.0
    start_patience: float = 15.0
    first_uid: int = 200_000
    uids: int = 65_536
    system: tuple[Path, ...] = ()
    hidden: tuple[Path, ...] = ()
    bwrap: Path | None = None
