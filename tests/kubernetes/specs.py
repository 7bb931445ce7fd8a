"""Run specs and settings of the tests of pods."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from spawners.kubernetes.settings import KubernetesSettings
from spawners.runtime import Limits, Placement, Remote, RemoteSession, RunKey, RunSpec

WORKLOAD = "0192f3c4-1111-7abc-8def-0123456789ab"
SETTINGS = KubernetesSettings(
    namespace="smalti-work",
    plane="0192f3c4-2222-7abc-8def-0123456789ab",
    platform_image="registry.example.org/smalti/platform:0.1.0",
)
REMOTE = Remote(
    image="registry.example.org/smalti/base:0.1.0",
    url="https://smalti.example.org/services/smalti/git/ada/wine.git",
    commit="0123456789abcdef0123456789abcdef01234567",
    git={"GIT_CONFIG_VALUE_0": "Authorization: Basic sml_run_token"},
    project_id="0192f3c4-3333-7abc-8def-0123456789ab",
)
PLAIN = RunSpec(
    key=RunKey(WORKLOAD, 1),
    argv=("python", "train.py"),
    env={"SMALTI_TOKEN": "sml_run_token", "ALPHA": "0.5"},
    workdir=Path("/smalti/work/project"),
    outputs=Path("/smalti/work/outputs"),
    environment=Path("/opt/environment"),
    person_id="0192f3c4-4444-7abc-8def-0123456789ab",
    limits=Limits(cpu=1.5, memory=2 << 30),
    remote=REMOTE,
)
LIMITED = replace(
    PLAIN,
    timeout=90.0,
    remote=replace(
        REMOTE,
        file="train.py",
        placement=Placement(
            gpu=2,
            node_selector={"pool": "gpu"},
            tolerations=({"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},),
            shared_memory=1 << 30,
        ),
    ),
)
SESSION = replace(
    PLAIN,
    argv=("/opt/tools/bin/python", "-m", "jupyterhub.singleuser"),
    workdir=Path("/smalti/volume/project"),
    home=Path("/smalti/volume/home"),
    writable=(Path("/smalti/work/live"),),
    endures=True,
    remote=replace(
        REMOTE,
        tools={"gitconfig": "[user]\n\tname = Ada\n"},
        session=RemoteSession(
            volume="0192f3c4-5555-7abc-8def-0123456789ab",
            origin="https://smalti.example.org/services/smalti/git/ada/wine.git",
            activity=Path("/smalti/work/live/activity.json"),
            branch="main",
        ),
    ),
)
