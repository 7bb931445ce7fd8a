"""The Pod Security level `restricted`, as far as our pods touch it, and our own rules on top.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/ . The admission
controller of a real cluster is the judge; this finds a slip before there is one.
"""

from __future__ import annotations

from typing import Any

_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim"}
_VOLUMES |= {"projected", "secret"}


def restricted(pod: dict[str, Any]) -> list[str]:
    """Everything in a pod's spec that would not be admitted, or that we forbid ourselves."""
    found = [
        f"host namespace {word}" for word in ("hostNetwork", "hostPID", "hostIPC") if pod.get(word)
    ]
    if pod.get("automountServiceAccountToken", True):
        found.append("service account token is mounted")
    for volume in pod.get("volumes", []):
        kinds = set(volume) - {"name"}
        if not kinds <= _VOLUMES:
            found.append(f"volume {volume['name']} is a {', '.join(kinds)}")
    whole = pod.get("securityContext", {})
    for container in (*pod.get("initContainers", []), *pod["containers"]):
        found += [f"{container['name']}: {what}" for what in _container(container, whole)]
    return found


def _container(container: dict[str, Any], whole: dict[str, Any]) -> list[str]:
    own = container.get("securityContext", {})
    both = {**whole, **own}
    wrong = {
        "may gain privileges": own.get("allowPrivilegeEscalation") is not False,
        "is privileged": bool(own.get("privileged")),
        "keeps capabilities": own.get("capabilities", {}).get("drop") != ["ALL"]
        or set(own["capabilities"].get("add", [])) > {"NET_BIND_SERVICE"},
        "may be root": both.get("runAsNonRoot") is not True or both.get("runAsUser") == 0,
        "has no seccomp profile": both.get("seccompProfile", {}).get("type")
        not in ("RuntimeDefault", "Localhost"),
        "writes to its root": own.get("readOnlyRootFilesystem") is not True,
        "opens a port of the host": any("hostPort" in p for p in container.get("ports", [])),
        "has no limits": not {"cpu", "memory"}
        <= set(container.get("resources", {}).get("limits", {})),
        "has no requests": not {"cpu", "memory"}
        <= set(container.get("resources", {}).get("requests", {})),
    }
    return [what for what, is_so in wrong.items() if is_so]
