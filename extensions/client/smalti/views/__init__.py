"""What the API tells, as frozen dataclasses: one per view, fields named as there.

Filled by `smalti.decode`, which ignores fields that are not here and leaves defaults for
those that are missing, so that client and platform need not be of one age.
"""

from smalti.views.catalog import Environment, HardwareTier, Plane, Resources
from smalti.views.comparison import (
    CodeDifference,
    Comparison,
    Difference,
    FileChange,
    OutputDifference,
    OutputSide,
)
from smalti.views.jobs import FINAL, JobView, LogText, Metrics, Output, Sample, StatusChange, Usage
from smalti.views.models import Experiment, ExperimentRun, Lineage, Model, ModelVersion
from smalti.views.people import Me, Reference, Token
from smalti.views.platform import Dependency, Event, Health
from smalti.views.projects import Author, Branch, Commit, File, Member, ProjectView
from smalti.views.secrets import Rotation, Secret, SecretUse, Vault
from smalti.views.snapshots import Restore, Snapshot, SnapshotBranch
from smalti.views.workspaces import WorkspaceView

__all__ = [
    "FINAL",
    "Author",
    "Branch",
    "CodeDifference",
    "Commit",
    "Comparison",
    "Dependency",
    "Difference",
    "Environment",
    "Event",
    "Experiment",
    "ExperimentRun",
    "File",
    "FileChange",
    "HardwareTier",
    "Health",
    "JobView",
    "Lineage",
    "LogText",
    "Me",
    "Member",
    "Metrics",
    "Model",
    "ModelVersion",
    "Output",
    "OutputDifference",
    "OutputSide",
    "Plane",
    "ProjectView",
    "Reference",
    "Resources",
    "Restore",
    "Rotation",
    "Sample",
    "Secret",
    "SecretUse",
    "Snapshot",
    "SnapshotBranch",
    "StatusChange",
    "Token",
    "Usage",
    "Vault",
    "WorkspaceView",
]
