"""`smalti-admin secrets`: all of Smalti's own secrets as one Kubernetes Secret, made anew.

Called by `cli`, for those who keep their manifests elsewhere and name the Secret in
`secrets.existingSecret`. It writes to standard output alone and keeps nothing: whoever asks seals
it or applies it once, and must not make it again, for `vault.key` opens every stored secret.
"""

from __future__ import annotations

import json

from services.core.passwords import one_time_password
from services.supervisor.keys import SECRETS


def secret_manifest(name: str, namespace: str) -> str:
    """Make the manifest. JSON, which is YAML too."""
    values = {key: make() for key, make in SECRETS.items()}
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "type": "Opaque",
        "stringData": {**values, "admin_password": one_time_password()},
    }
    return json.dumps(manifest, indent=1)
