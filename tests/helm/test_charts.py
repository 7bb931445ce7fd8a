"""The charts render to what is kept in golden files, and every value is described and checked."""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import Any

import kubernetes_validate.utils
import pytest
import yaml

from tests.helm import charts
from tests.helm.charts import EXAMPLES, HELM, Refused, of_kind, render

GOLDEN = Path(__file__).parent / "golden"
CHARTS = ("smalti", "smalti-agent")


@pytest.mark.parametrize("chart", CHARTS)
def test_helm_lint_finds_nothing(chart: str) -> None:
    files = [
        word
        for name, (of, _) in EXAMPLES.items()
        if of == chart
        for word in ("--values", str(HELM / chart / "examples" / f"{name}.yaml"))
    ]
    assert "0 chart(s) failed" in charts.run("lint", "--strict", str(HELM / chart), *files)


@pytest.mark.parametrize("name", EXAMPLES)
def test_manifests_are_those_that_are_kept(name: str) -> None:
    """UPDATE_GOLDEN=1 writes them anew; read the difference before it is committed."""
    file, made = GOLDEN / f"{name}.yaml", charts.plain(charts.example(name))
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(made)
    assert made == file.read_text()


@pytest.mark.parametrize("version", ["1.29", "1.36"])
def test_manifests_are_valid(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # It reads all definitions anew for each object, which takes most of the time.
    cached = functools.cache(kubernetes_validate.utils.schema_contents)
    monkeypatch.setattr(kubernetes_validate.utils, "schema_contents", cached)
    for name in EXAMPLES:
        for one in charts.example(name):
            kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize("chart", CHARTS)
def test_every_value_is_described_and_every_description_is_of_a_value(chart: str) -> None:
    schema = json.loads((HELM / chart / "values.schema.json").read_text())
    values = yaml.safe_load((HELM / chart / "values.yaml").read_text())
    _same(schema, values, "")


def _same(schema: dict[str, Any], values: Any, at: str) -> None:
    assert schema.get("description"), f"{at} is not described"
    assert schema["type"] != "array", f"{at} is a list: a second file could not add to it"
    if "properties" not in schema:
        return
    known = set(schema["properties"]) - {"global"}
    if schema["additionalProperties"] is False:
        assert set(values) == known, f"{at}: {set(values) ^ known}"
    for name in known:
        _same(schema["properties"][name], values[name], f"{at}.{name}")


WRONG: list[tuple[str, Any, str]] = [
    ("platform.replicas", "two", "got string, want integer"),
    ("platform.replicas", 0, "minimum"),
    ("publicUrl", "smalti.example.org", "does not match pattern"),
    ("publicUrl", "https://smalti.example.org/sub", "does not match pattern"),
    ("hub.resources.limits.memory", "a lot", "does not match pattern"),
    ("database.mode", "mysql", "must be one of"),
    ("images.hub.digest", "sha256:short", "does not match pattern"),
    ("networkPolicies.blocked.metadata", "169.254.169.254", "does not match"),
    ("networkPolicies.enabled", "yes", "got string, want boolean"),
    ("platform.setings", {}, "additional properties 'setings' not allowed"),
    ("platform.settings.keep_logs_days", [90], "got array"),
    ("secrets.existingSecret", "Not_A_Name", "does not match pattern"),
    ("hub.env.1BAD", "x", "1BAD"),
    ("workloads.namespace", "smalti", "must be another namespace"),
    ("workloads.capacity.memory", "64Zi", "does not match pattern"),
    ("objects.mode", "s3", "objects.s3.bucket is needed as well"),
    ("database.mode", "external", "database.external.host is needed as well"),
]


@pytest.mark.parametrize(("name", "value", "said"), WRONG, ids=[one[0] for one in WRONG])
def test_a_wrong_value_is_refused_and_named(name: str, value: Any, said: str) -> None:
    values: Any = value
    for word in reversed(name.split(".")):
        values = {word: values}
    with pytest.raises(Refused, match=said.replace("(", r"\(")):
        render(values=values)


def test_an_external_database_needs_its_secret() -> None:
    external = {"mode": "external", "external": {"host": "db.example.org"}}
    with pytest.raises(Refused, match=r"database\.existingSecret must name"):
        render(values={"database": external})


def test_an_upgrade_that_sees_no_secret_is_refused() -> None:
    """Else it would make a new vault.key, and nothing stored could be read any more."""
    with pytest.raises(Refused, match=r"smalti-secrets cannot be seen"):
        render(upgrade=True)
    assert render(upgrade=True, values={"secrets": {"existingSecret": "mine"},
                                        "database": {"existingSecret": "mine"}})  # fmt: skip


def test_a_map_can_be_added_to_and_taken_from_by_a_second_file(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("hub: {tolerations: {a: {key: a, operator: Exists}, b: {key: b}}}\n")
    second.write_text("hub: {tolerations: {b: null, c: {key: c}}}\n")
    found = render("smalti", first, second)
    hub = next(pod for name, pod in charts.pods(found) if name == "smalti-hub")
    assert [one["key"] for one in hub["tolerations"]] == ["a", "c"]


def test_a_changed_setting_restarts_those_that_read_it_and_nobody_else() -> None:
    secrets = {"secrets": {"existingSecret": "mine"}, "database": {"existingSecret": "mine"}}
    changed = {**secrets, "platform": {"settings": {"keep_logs_days": 7}}}

    def notes(found: list[charts.Manifest]) -> dict[str, Any]:
        return {
            one["metadata"]["name"]: one["spec"]["template"]["metadata"].get("annotations")
            for one in of_kind(found, "Deployment")
        }

    before, after = notes(render(values=secrets)), notes(render(values=changed))
    differ = {name for name in before if before[name] != after[name]}
    assert differ == {"smalti-platform", "smalti-experiments"}


def test_settings_reach_the_process_as_it_reads_them(tmp_path: Path) -> None:
    from services.core.settings import load_settings

    found = charts.example("production")
    config = next(
        one for one in of_kind(found, "ConfigMap") if one["metadata"]["name"] == "smalti-platform"
    )
    places = next(
        one for one in of_kind(found, "ConfigMap") if one["metadata"]["name"] == "smalti-places"
    )
    (tmp_path / "run").mkdir()
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "database.password").write_text("geheim/wort")
    for file, text in places["data"].items():
        (tmp_path / "run" / file).write_text(text)
    for file, text in config["data"].items():
        (tmp_path / file).write_text(text)
    settings = load_settings(tmp_path)
    assert settings.keep_logs_days == 365
    assert settings.objects == "s3"
    assert settings.origin == "https://smalti.example.org"
    assert settings.url("hub") == "http://smalti-hub.smalti.svc.cluster.local:8081"
    assert settings.database == (
        "postgresql+psycopg://smalti_platform:geheim%2Fwort@postgres.example.org:5432/"
        "smalti_platform?sslmode=verify-full&sslrootcert=system"
    )
