"""The runtime for one machine: every run is a process under a shim, in a sandbox, with limits.

Others use `ProcessRuntime` and `ProcessSettings`.
"""

from spawners.process.runtime import ProcessRuntime
from spawners.process.settings import ProcessSettings

__all__ = ["ProcessRuntime", "ProcessSettings"]
