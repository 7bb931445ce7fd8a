"""MLflow as it is taken into our process: its private names, its routes, its database.

Each test runs in a process of its own: what MLflow reads at import cannot be undone. When a
new MLflow makes one of these fail, `services/experiments/gateway/mlflow_wiring.py` or
`table.py` is where to look; a route that is in neither list must be judged by a person.
"""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from services.experiments.gateway import table
from services.experiments.protocol import SERVER_INFO
from services.supervisor.experiments import SCHEMA, bring_up_to_date
from services.supervisor.home import Home, SupervisorError

PROGRAM = """
import json, sys
from pathlib import Path
from services.core.settings import Settings
from services.experiments.gateway import mlflow_wiring as wiring
settings = Settings(home=sys.argv[1])
told = wiring.environment(settings)
app = wiring.load(settings)
from mlflow.server import constants, fastapi_app, handlers
from mlflow.environment_variables import (MLFLOW_DISABLE_TELEMETRY, MLFLOW_ENABLE_WORKSPACES,
    MLFLOW_SERVER_ALLOWED_HOSTS, MLFLOW_SERVER_ENABLE_JOB_EXECUTION,
    MLFLOW_ENABLE_AI_GATEWAY, MLFLOW_ENABLE_REMOTE_ASSISTANT, MLFLOW_ENABLE_ASSISTANT_SANDBOX,
    MLFLOW_SERVER_X_FRAME_OPTIONS)
from mlflow.utils.workspace_utils import WORKSPACE_HEADER_NAME
import mlflow, anyio
wiring.ensure_workspace("01a212bf-71d1-7726-969c-5d50911d37dc", "wine")
wiring.ensure_workspace("01a212bf-71d1-7726-969c-5d50911d37dc", "wine")
async def bounded():
    responder = fastapi_app._EfficientWSGIResponder(None, {"type": "http"})
    return responder.stream_send.statistics().max_buffer_size
print(json.dumps({
    "version": mlflow.__version__,
    "known": sorted(value for name, value in vars(constants).items() if name.endswith("ENV_VAR"))
        + [v.name for v in (MLFLOW_DISABLE_TELEMETRY, MLFLOW_ENABLE_WORKSPACES,
           MLFLOW_SERVER_ALLOWED_HOSTS, MLFLOW_SERVER_ENABLE_JOB_EXECUTION,
           MLFLOW_ENABLE_AI_GATEWAY, MLFLOW_ENABLE_REMOTE_ASSISTANT,
           MLFLOW_ENABLE_ASSISTANT_SANDBOX,
           MLFLOW_SERVER_X_FRAME_OPTIONS)],
    "told": told,
    "header": WORKSPACE_HEADER_NAME,
    "routes": wiring.routes(app),
    "buffer": anyio.run(bounded),
    "index": wiring.index().exists(),
    "info": handlers.build_server_info_payload(),
}))
"""


def run(home: Path, program: str = PROGRAM) -> Any:
    home.mkdir(exist_ok=True)
    (home / "experiments").mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", program, str(home)],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wiring") / "home"


@pytest.fixture(scope="module")
def loaded(home: Path) -> Any:
    return run(home)


def test_every_name_that_we_set_is_one_that_mlflow_reads(loaded: Any) -> None:
    ours = {"TMPDIR", "DO_NOT_TRACK"}
    assert set(loaded["told"]) - ours - set(loaded["known"]) == set()
    assert loaded["header"] == "X-MLFLOW-WORKSPACE"
    assert loaded["version"] == "3.17.2"
    assert loaded["buffer"] == 8
    assert loaded["index"]
    # Presigned addresses are said to be there whatever the store can; the gate has none.
    signed = {k: False for k in loaded["info"] if k.startswith("presigned_")}
    assert {**loaded["info"], **signed} == SERVER_INFO


def _example(path: str) -> str:
    path = re.sub(r"<path:\w+>|\{\w+:path\}", "a/b", path)
    return re.sub(r"<\w+>|\{\w+\}", "x", path)


def test_every_route_of_mlflow_was_judged(loaded: Any) -> None:
    unjudged = [
        f"{method} {path}"
        for method, path in loaded["routes"]
        if table.find(method, _example(path)) is None and table.reason_denied(path) is None
    ]
    assert unjudged == []
    assert len(loaded["routes"]) > 300


def test_every_rule_is_a_route_of_mlflow(loaded: Any) -> None:
    real = {(method, _example(path)) for method, path in loaded["routes"]}
    stale = [
        rule
        for rule in table.ALLOWED
        if rule.kind is not table.Kind.OWN
        and (rule.method, re.sub(r"<\w+>", "x", re.sub(r"<\w+\.\.\.>", "a/b", rule.path)))
        not in real
    ]
    assert stale == []


def test_what_writes_needs_the_right_to_write() -> None:
    questions = re.compile(
        r"search|get-latest-versions|batchGetInfos|calculate-filter|traces/metrics|search-datasets"
    )
    for rule in table.ALLOWED:
        if rule.method == "GET":
            assert rule.need is not table.Need.WRITE, rule
        elif rule.kind is not table.Kind.GRAPHQL and not questions.search(rule.path):
            assert rule.need is table.Need.WRITE, rule


def test_the_database_is_made_whole_and_kept(home: Path, loaded: Any) -> None:
    with closing(sqlite3.connect(home / "experiments" / "mlflow.sqlite")) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        names = [row[0] for row in db.execute("SELECT name FROM workspaces ORDER BY name")]
        assert names == ["01a212bf-71d1-7726-969c-5d50911d37dc", "default"]


MIGRATE = """
import json, sys
from services.core.settings import Settings
from services.experiments.gateway import mlflow_wiring as wiring
try:
    wiring.migrate(Settings(home=sys.argv[1]))
    print(json.dumps("migrated"))
except wiring.NewerDatabase as error:
    print(json.dumps(str(error)))
"""


def test_an_older_database_is_backed_up_and_moved_on_and_a_newer_one_refused(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    assert run(home, MIGRATE) == "migrated"
    file = home / "experiments" / "mlflow.sqlite"
    with closing(sqlite3.connect(file)) as db:
        (newest,) = db.execute("SELECT version_num FROM alembic_version").fetchone()
        db.execute("UPDATE alembic_version SET version_num = 'fffffffffff1'")
        db.commit()
    assert "newer MLflow" in run(home, MIGRATE)
    assert not (home / "backups").exists()
    older = BACK_BY_ONE.replace("TARGET", newest)
    run(home, older)
    assert run(home, MIGRATE) == "migrated"
    (copy,) = (home / "backups").iterdir()
    with closing(sqlite3.connect(copy)) as db:
        assert db.execute("SELECT version_num FROM alembic_version").fetchone() != (newest,)
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("SELECT version_num FROM alembic_version").fetchone() == (newest,)


def test_a_start_after_an_update_moves_it_on_before_anything_uses_it(tmp_path: Path) -> None:
    home, said = Home(tmp_path / "home"), list[str]()
    home.root.mkdir()
    home.make_folders()
    bring_up_to_date(home, said.append)
    assert said == []  # nothing there: it is made beside the start
    assert run(home.root, MIGRATE) == "migrated"
    stamp = home.path(*SCHEMA)
    assert json.loads(stamp.read_text()) == {"mlflow": "3.17.2"}
    bring_up_to_date(home, said.append)
    assert said == []
    file = home.path("experiments", "mlflow.sqlite")
    with closing(sqlite3.connect(file)) as db:
        (newest,) = db.execute("SELECT version_num FROM alembic_version").fetchone()
    run(home.root, BACK_BY_ONE.replace("TARGET", newest))
    stamp.write_text('{"mlflow": "3.0.0"}')
    bring_up_to_date(home, said.append)
    assert said == ["Bringing the experiments' database to MLflow 3.17.2; a copy goes to backups/"]
    assert len(list(home.path("backups").iterdir())) == 1
    assert json.loads(stamp.read_text()) == {"mlflow": "3.17.2"}
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("SELECT version_num FROM alembic_version").fetchone() == (newest,)
        db.execute("UPDATE alembic_version SET version_num = 'fffffffffff1'")
        db.commit()
    stamp.write_text('{"mlflow": "99.0"}')
    with pytest.raises(SupervisorError, match="written by a newer MLflow"):
        bring_up_to_date(home, said.append)
    assert len(list(home.path("backups").iterdir())) == 1


# A database as an earlier MLflow left it: made anew up to the revision before the newest.
BACK_BY_ONE = """
import json, sys
from pathlib import Path
from alembic import command
from alembic.script import ScriptDirectory
from mlflow.store.db import utils
from mlflow.store.db.utils import InitialBase
file = Path(sys.argv[1]) / "experiments" / "mlflow.sqlite"
for left in file.parent.glob("mlflow.sqlite*"):
    left.unlink()
url = f"sqlite:///{file}"
engine = utils.create_sqlalchemy_engine_with_retry(url)
InitialBase.metadata.create_all(engine)
config = utils._get_alembic_config(url)
script = ScriptDirectory.from_config(config)
with engine.begin() as connection:
    config.attributes["connection"] = connection
    command.upgrade(config, script.get_revision("TARGET").down_revision)
print(json.dumps("older"))
"""
