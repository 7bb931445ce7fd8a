"""`smalti-admin preflight`: whether a cluster, and what is around it, will take the chart.

Called by `cli`. It asks and changes nothing, and says of each thing that is wrong what helps.
"""

from services.supervisor.preflight.examine import examine
from services.supervisor.preflight.findings import Finding

__all__ = ["Finding", "examine"]
