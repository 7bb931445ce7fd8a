"""How the API server of a cluster is reached and what is shown to it.

Owns the reading of a kubeconfig file and of the service account that a pod finds. Called by
`api`. Must never keep a token longer than it takes to send it: one that a cluster gives to a
pod is replaced every hour.

KUBECONFIG     file that names the cluster; without it, the service account of the pod that we
               are in. Credentials made by another program (`exec`) are not supported.
"""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from spawners.runtime import RuntimeFailure

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True)
class Access:
    """A cluster's address, how its certificate is checked, and where our token is."""

    server: str
    tls: ssl.SSLContext | None
    token: str | None = None
    token_file: Path | None = None

    def headers(self) -> dict[str, str]:
        """What to show with a request. RuntimeFailure when the token cannot be read."""
        token = self.token
        if self.token_file is not None:
            try:
                token = self.token_file.read_text().strip()
            except OSError as error:
                raise RuntimeFailure(f"no token for the cluster: {error.strerror}") from error
        return {"Authorization": f"Bearer {token}"} if token else {}


def find(environ: Mapping[str, str] = os.environ) -> Access:
    """Find the cluster that the environment names. RuntimeFailure when it names none."""
    if named := environ.get("KUBECONFIG"):
        return from_file(Path(named))
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT")
    if not host or not port:
        raise RuntimeFailure("no cluster is named: set KUBECONFIG, or run in a pod of one")
    host = f"[{host}]" if ":" in host else host
    tls = ssl.create_default_context(cafile=str(_ACCOUNT / "ca.crt"))
    return Access(f"https://{host}:{port}", tls, token_file=_ACCOUNT / "token")


def from_file(file: Path) -> Access:
    """Read the current context of a kubeconfig file. RuntimeFailure when it cannot be used."""
    try:
        config = yaml.safe_load(file.read_text())
        context = _named(config, "contexts", config["current-context"])["context"]
        cluster = _named(config, "clusters", context["cluster"])["cluster"]
        user = _named(config, "users", context["user"])["user"]
        if "exec" in user or "auth-provider" in user:
            raise RuntimeFailure(f"{file}: credentials made by a program are not supported")
        at = file.parent
        named = user.get("tokenFile")
        return Access(
            server=str(cluster["server"]).rstrip("/"),
            tls=_tls(cluster, user, at) if cluster["server"].startswith("https:") else None,
            token=user.get("token"),
            token_file=at / named if named else None,
        )
    except OSError as error:
        raise RuntimeFailure(f"{file} cannot be read: {error.strerror or error}") from error
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise RuntimeFailure(f"{file} is no kubeconfig file that can be used: {error}") from error


def _named(config: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in config[kind] if one["name"] == name)
    return found


def _tls(cluster: dict[str, Any], user: dict[str, Any], at: Path) -> ssl.SSLContext:
    authority = _content(cluster, "certificate-authority", at)
    tls = ssl.create_default_context(cadata=authority.decode() if authority else None)
    certificate = _content(user, "client-certificate", at)
    key = _content(user, "client-key", at)
    if certificate and key:
        # The library takes files only; this one is readable by us alone and gone at once.
        with tempfile.NamedTemporaryFile() as file:
            file.write(certificate + b"\n" + key)
            file.flush()
            tls.load_cert_chain(file.name)
    return tls


def _content(entry: dict[str, Any], name: str, at: Path) -> bytes | None:
    if data := entry.get(f"{name}-data"):
        return base64.b64decode(data)
    return (at / entry[name]).read_bytes() if entry.get(name) else None
