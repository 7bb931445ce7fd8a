"""What an operator may choose, and the places that follow from it.

Read by the platform process from `$SMALTI_HOME/smalti_config.py` (traitlets, as Jupyter
programs do: `c.Settings.job_timeout_max = 86400`), and from `smalti_config.json` beside it, which
programs write. Secrets are never settings: they are 0600 files under `$SMALTI_HOME/secrets`.
"""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path

from traitlets import Bool, Enum, Float, Int, TraitError, Unicode, validate
from traitlets.config import Config, Configurable
from traitlets.config.loader import JSONFileConfigLoader, PyFileConfigLoader

from services.core.places import Places, load_places
from services.core.private import others_can_read

MiB = 1 << 20
GiB = 1 << 30


@lru_cache(maxsize=16)
def parse_networks(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """Read networks that are written one after another with commas. ValueError."""
    words = (word.strip() for word in text.split(","))
    return tuple(ipaddress.ip_network(word) for word in words if word)


class Settings(Configurable):
    """The platform's settings. Sizes in bytes, times in seconds unless a name says otherwise."""

    home = Unicode(help="State folder. Set by SMALTI_HOME.").tag(config=False)
    database_url = Unicode(
        "",
        help="SQLAlchemy URL of the platform's database. Empty: SQLite in the state folder.",
    ).tag(config=True)
    public_url = Unicode(
        "", help="Address that people use, without a path. Empty: http://localhost:SMALTI_PORT."
    ).tag(config=True)

    console_folder = Unicode(
        "",
        help="Folder of the built web console. Empty: where `make up` puts it. Without a build in "
        "it a plain page is served.",
    ).tag(config=True)

    body_max = Int(2 * MiB, help="Largest JSON body that is read.").tag(config=True)
    form_max = Int(64 * 1024, help="Largest form of a page that is read.").tag(config=True)
    upload_max = Int(5 * GiB, help="Largest file taken by one upload or output.").tag(config=True)
    push_max = Int(2 * GiB, help="Largest git push that is taken.").tag(config=True)
    file_edit_max = Int(100 * MiB, help="Largest file taken by the files API.").tag(config=True)
    import_max = Int(2 * GiB, help="Largest repository that is imported.").tag(config=True)
    import_private = Bool(
        False, help="Import from private networks, and over plain http, as well."
    ).tag(config=True)

    job_timeout_default = Float(24 * 3600.0, help="Time limit of a job that names none.").tag(
        config=True
    )
    job_timeout_max = Float(14 * 24 * 3600.0, help="Longest time limit a job may ask for.").tag(
        config=True
    )
    stop_grace = Float(10.0, help="Time between SIGTERM and SIGKILL when a run is ended.").tag(
        config=True
    )
    log_max = Int(GiB, help="Log kept of one run; what it writes beyond is dropped.").tag(
        config=True
    )
    outputs_max = Int(20 * GiB, help="Outputs kept of one run.").tag(config=True)
    output_files_max = Int(10_000, help="Number of output files kept of one run.").tag(config=True)
    run_disk_max = Int(20 * GiB, help="Disk one run may fill while it runs.").tag(config=True)
    processes_max = Int(1024, help="Processes and threads one run may have.").tag(config=True)

    queue_max_per_person = Int(
        10_000, help="Unfinished jobs one person may have; more are refused with 429."
    ).tag(config=True)
    running_max_per_person = Int(
        100, help="Runs one person may have at once; more wait in the queue with that reason."
    ).tag(config=True)

    session_idle = Float(
        3600.0, help="Time without activity after which a session is ended; 0: never."
    ).tag(config=True)
    session_forgotten = Float(
        12 * 3600.0,
        help="The same for a session that a page is still connected to, forgotten perhaps.",
    ).tag(config=True)
    session_warning = Float(600.0, help="How long before its end a warning is given.").tag(
        config=True
    )
    session_keep_max = Float(
        7 * 24 * 3600.0, help="How far ahead a session can be kept from being ended."
    ).tag(config=True)
    session_networks = Unicode(
        "127.0.0.1/32",
        help="Networks, by commas, in which sessions answer: the front door is led nowhere else.",
    ).tag(config=True)
    workspaces_max_per_person = Int(100, help="Workspaces one person may have.").tag(config=True)
    keep_workspaces_days = Int(
        30, help="Days in which a deleted workspace can be had back; then its files are gone."
    ).tag(config=True)

    keep_logs_days = Int(90, help="Days that a finished run's log is kept; 0: for ever.").tag(
        config=True
    )
    keep_outputs_days = Int(0, help="Days that outputs are kept; 0: for ever.").tag(config=True)
    keep_events_days = Int(7, help="Days that events can be resumed from.").tag(config=True)
    keep_samples_days = Int(30, help="Days that cpu and memory samples are kept.").tag(config=True)
    low_disk = Int(GiB, help="Free disk below which no work is admitted and no file is taken.").tag(
        config=True
    )

    snapshot_prompt = Int(
        50 * MiB, help="Files of a workspace up to this size are saved within seconds."
    ).tag(config=True)
    snapshot_file_max = Int(
        GiB, help="Largest file of a workspace that is saved, in the background."
    ).tag(config=True)
    snapshot_size_max = Int(
        10 * GiB, help="Files of one workspace that are saved in all; those beyond are not."
    ).tag(config=True)
    snapshot_files_max = Int(50_000, help="Number of files of one workspace that are saved.").tag(
        config=True
    )
    snapshot_disk_max = Int(
        20 * GiB,
        help="Room that one workspace's snapshots may take; the oldest go when it is nearly full.",
    ).tag(config=True)
    snapshot_all_minutes = Float(15.0, help="Minutes that every snapshot is kept.").tag(config=True)
    snapshot_minutely_hours = Float(
        4.0, help="Hours that the last snapshot of each minute is kept."
    ).tag(config=True)
    snapshot_hourly_days = Float(2.0, help="Days that the last snapshot of each hour is kept.").tag(
        config=True
    )
    snapshot_daily_days = Float(
        30.0, help="Days that the last snapshot of each day is kept; the newest always is."
    ).tag(config=True)

    vault_keys = Enum(
        ["file", "kms", "transit"],
        "file",
        help="Who keeps the vault's master key: a file in the state folder, AWS KMS, or the "
        "transit engine of OpenBao or HashiCorp Vault.",
    ).tag(config=True)
    kms_key = Unicode("", help="AWS KMS: id, ARN or alias of the master key.").tag(config=True)
    kms_region = Unicode("", help="AWS KMS: region. Empty: as boto3 finds it.").tag(config=True)
    kms_endpoint = Unicode("", help="AWS KMS: address, when it is not AWS's own.").tag(config=True)
    transit_url = Unicode("", help="Transit engine: address of the server.").tag(config=True)
    transit_mount = Unicode("transit", help="Transit engine: where it is mounted.").tag(config=True)
    transit_key = Unicode("smalti", help="Transit engine: name of the master key.").tag(config=True)
    secret_max = Int(64 * 1024, help="Largest value of one secret.").tag(config=True)
    secrets_max = Int(100, help="Secrets one person or one project may have.").tag(config=True)
    secrets_total_max = Int(
        512 * 1024, help="Values of all secrets of one person or one project together."
    ).tag(config=True)

    objects = Enum(
        ["folder", "s3"], "folder", help="Where objects (logs, outputs, artifacts) are kept."
    ).tag(config=True)
    s3_bucket = Unicode("", help="S3: name of the bucket, which must exist.").tag(config=True)
    s3_prefix = Unicode("", help="S3: what every key begins with, such as smalti/.").tag(
        config=True
    )
    s3_endpoint = Unicode("", help="S3: address, when it is not AWS's own.").tag(config=True)
    s3_region = Unicode("", help="S3: region. Empty: as boto3 finds it.").tag(config=True)

    default_image = Unicode(
        "",
        help="Image of the default environment, for a plane that is a cluster. "
        "Empty: a folder in the state folder.",
    ).tag(config=True)

    experiments_database_url = Unicode(
        "", help="SQLAlchemy URL of MLflow's database. Empty: SQLite in the state folder."
    ).tag(config=True)
    experiments_artifacts = Unicode(
        "",
        help="Where artifacts of experiments are kept: s3://BUCKET/PREFIX, reached with "
        "`s3_endpoint`, `s3_region` and `secrets/s3.json` as the objects are. "
        "Empty: a folder in the state folder.",
    ).tag(config=True)
    experiments_body_max = Int(
        32 * MiB, help="Largest body that MLflow is given, but for artifacts (`upload_max`)."
    ).tag(config=True)

    auth_cache = Float(20.0, help="How long a checked credential is believed (at most 20).").tag(
        config=True
    )
    allow_without_isolation = Bool(
        False,
        help="Whether several people may run on a plane that cannot keep their runs apart.",
    ).tag(config=True)
    agent_poll = Float(25.0, help="How long an agent's long poll waits.").tag(config=True)
    agent_away = Float(60.0, help="Silence after which a plane counts as away.").tag(config=True)

    @validate("session_networks")
    def _networks(self, proposal: dict[str, str]) -> str:
        try:
            parse_networks(proposal["value"])
        except ValueError as error:
            raise TraitError(f"session_networks: {error}") from None
        return proposal["value"]

    @validate("auth_cache")
    def _auth_cache_at_most_20(self, proposal: dict[str, float]) -> float:
        if not 0 <= proposal["value"] <= 20:
            raise TraitError("auth_cache is from 0 to 20 s: revocation must end within 30 s")
        return proposal["value"]

    @property
    def root(self) -> Path:
        """The state folder."""
        return Path(self.home)

    @property
    def platform_folder(self) -> Path:
        """What the platform process keeps: database, repositories, objects."""
        return self.root / "platform"

    @property
    def ports(self) -> dict[str, int]:
        """Ports of our processes, as the supervisor noted them."""
        found: dict[str, int] = json.loads((self.root / "run" / "ports.json").read_text())
        return found

    def port(self, process: str) -> int:
        """Where a process of ours listens."""
        return self.ports[process]

    @cached_property
    def places(self) -> Places:
        """Where the processes are, when not all of them are here; read once, asked at each call."""
        return load_places(self.root)

    def url(self, process: str) -> str:
        """Where a process of ours answers, without a path."""
        return self.places.url(process, self.ports)

    def secret(self, name: str) -> str:
        """Read a secret that the supervisor made. FileNotFoundError when it is not there."""
        return (self.root / "secrets" / name).read_text().strip()

    def s3_credentials(self) -> dict[str, str]:
        """Read `secrets/s3.json`; empty when there is none. ValueError for one that is open."""
        file = self.root / "secrets" / "s3.json"
        if not file.exists():
            return {}
        if others_can_read(file):
            raise ValueError(f"{file} can be read by others: chmod 600 it, then start.")
        found: dict[str, str] = json.loads(file.read_text())
        return found

    @property
    def origin(self) -> str:
        """Scheme, host and port that people use."""
        return self.public_url.rstrip("/") or self.places.origin(self.ports)

    @property
    def database(self) -> str:
        """The database's SQLAlchemy URL, with the password where a file holds one."""
        if not self.database_url:
            return f"sqlite:///{self.platform_folder / 'platform.sqlite'}"
        return with_password(self.database_url, self.root / "secrets" / "database.password")

    @property
    def experiments_database(self) -> str:
        """The SQLAlchemy URL of MLflow's database."""
        if not self.experiments_database_url:
            return f"sqlite:///{self.root / 'experiments' / 'mlflow.sqlite'}"
        file = self.root / "secrets" / "experiments_database.password"
        return with_password(self.experiments_database_url, file)


def with_password(url: str, file: Path) -> str:
    """Put the password in a file, if there is one, into a database's URL."""
    if not file.exists():
        return url
    from sqlalchemy.engine import make_url  # not at the top: the supervisor has no use for it

    named = make_url(url).set(password=file.read_text().strip())
    return named.render_as_string(hide_password=False)


def has_experiments(environ: Mapping[str, str]) -> bool:
    """Tell whether MLflow belongs to this instance: SMALTI_EXPERIMENTS=0 leaves it out."""
    return environ.get("SMALTI_EXPERIMENTS", "") not in ("0", "false")


def default_home() -> Path:
    """Where state is kept unless SMALTI_HOME says otherwise."""
    named = os.environ.get("SMALTI_HOME")
    return Path(named).absolute() if named else Path.home() / ".local" / "share" / "smalti"


def load_settings(home: Path | None = None) -> Settings:
    """Read the settings of a state folder; its configuration file may be absent."""
    home = home or default_home()
    config = Config()
    for name, loader in (
        ("smalti_config.py", PyFileConfigLoader),
        ("smalti_config.json", JSONFileConfigLoader),
    ):
        if (home / name).exists():
            config.merge(loader(name, path=str(home)).load_config())
    return Settings(config=config, home=str(home))
