"""A project's registered models, experiments and runs, as MLflow keeps them.

Logging is done with the `mlflow` client itself; here is what leads from it to jobs and commits.
"""

from __future__ import annotations

import builtins
from typing import Any

from smalti import decode
from smalti.transport import Call, Transport
from smalti.views import Experiment, ExperimentRun, Model, ModelVersion


class Models:
    """The registered models of a project. `client.projects["ada/wine"].models["wine-quality"]`."""

    def __init__(self, transport: Transport, project_id: str) -> None:
        self._transport = transport
        self._project_id = project_id

    def list(self) -> builtins.list[Model]:
        """List them by name."""
        return _many(self._transport, self._url(), Model)

    def get(self, name: str) -> Model:
        """Return one; raise NotFound."""
        return decode.read(Model, self._transport.json(Call("GET", self._url(name))))

    def versions(self, name: str) -> builtins.list[ModelVersion]:
        """List a model's versions, the newest first, each with where it comes from."""
        return _many(self._transport, self._url(name, "versions"), ModelVersion)

    def version(self, name: str, number: str | int) -> ModelVersion:
        """Return one version; raise NotFound."""
        call = Call("GET", self._url(name, "versions", str(number)))
        return decode.read(ModelVersion, self._transport.json(call))

    def set_alias(self, name: str, alias: str, number: str | int) -> ModelVersion:
        """Let an alias name a version."""
        call = Call("PUT", self._url(name, "aliases", alias), json={"version": str(number)})
        return decode.read(ModelVersion, self._transport.json(call))

    def delete_alias(self, name: str, alias: str) -> None:
        """Take an alias away."""
        self._transport.send(Call("DELETE", self._url(name, "aliases", alias)))

    def __getitem__(self, name: str) -> Model:
        return self.get(name)

    def _url(self, *parts: str) -> str:
        return self._transport.address.api("projects", self._project_id, "models", *parts)


class Experiments:
    """The experiments of a project and their runs."""

    def __init__(self, transport: Transport, project_id: str) -> None:
        self._transport = transport
        self._project_id = project_id

    def list(self) -> builtins.list[Experiment]:
        """List them, the last changed first."""
        url = self._transport.address.api("projects", self._project_id, "experiments")
        return _many(self._transport, url, Experiment)

    def runs(
        self, experiment_id: str | None = None, *, limit: int = 50
    ) -> builtins.list[ExperimentRun]:
        """List runs, the newest first: of one experiment, or of all."""
        url = self._transport.address.api("projects", self._project_id, "experiment-runs")
        query = {"experiment_id": experiment_id, "limit": str(limit)}
        known = {name: value for name, value in query.items() if value is not None}
        return _many(self._transport, url, ExperimentRun, known)


def _many(
    transport: Transport, url: str, kind: type[Any], query: dict[str, str] | None = None
) -> list[Any]:
    answer = transport.json(Call("GET", url, query=query or {}))
    return [decode.read(kind, one) for one in answer["items"]]
