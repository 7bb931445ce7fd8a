"""What a run in a sandbox can see, change and signal: its own things, and nothing else."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from spawners.process.sandbox import base_prefixes
from spawners.runtime import Isolation
from tests.spawners.conftest import MakeYard
from tests.spawners.yard import Yard

LOOK = """
import json, os, sys
found = {}
for path in sys.argv[1:]:
    try:
        found[path] = sorted(os.listdir(path)) if os.path.isdir(path) else open(path).read(100)
    except OSError as error:
        found[path] = type(error).__name__
print(json.dumps(found))
"""
WRITE = """
import sys
for path in sys.argv[1:]:
    try:
        open(path, 'a').close()
    except OSError as error:
        print(type(error).__name__)
    else:
        print('written', path)
"""


@pytest.fixture(params=["full", "namespaces"])
async def each_yard(request: pytest.FixtureRequest, make_yard: MakeYard) -> Yard:
    """A yard of each strength of sandbox that this machine can do."""
    return await make_yard(isolation=request.param)


@pytest.fixture
async def full_yard(make_yard: MakeYard) -> Yard:
    """A yard in which every person has a uid."""
    return await make_yard(isolation="full")


async def look(yard: Yard, *paths: Path | str, **fields: object) -> dict[str, object]:
    """What a run sees at the paths."""
    state, log = await yard.run("python", "-c", LOOK, *map(str, paths), **fields)
    assert state.exit_code == 0, log
    found: dict[str, object] = json.loads(log)
    return found


async def test_state_secrets_and_other_runs_are_not_there(each_yard: Yard) -> None:
    other = each_yard.spec("sleep", "60", name="other", person_id="bob")
    (other.workdir / "treasure").write_text("x")
    await each_yard.runtime.start(other)
    secret = each_yard.folder / "secret"
    secret.write_text("x")
    hidden = [each_yard.settings.state, other.workdir, other.outputs, secret]
    hidden += [Path("/etc/shadow"), Path("/root/.bashrc"), Path("/sys"), Path("/run")]
    found = await look(each_yard, *hidden)
    assert set(found.values()) == {"FileNotFoundError"}
    assert isinstance((await look(each_yard, "/etc/passwd", name="b"))["/etc/passwd"], str)


async def test_only_its_own_folders_can_be_written(each_yard: Yard, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    given.chmod(0o777)
    (given / "data").write_text("1")
    paths = [Path(sys.prefix, "x"), Path("/usr/x"), Path("/etc/x"), Path("/x"), given / "x"]
    paths += [Path("/proc/sys/kernel/hostname"), Path("/etc/passwd"), Path(sys.executable)]
    state, log = await each_yard.run("python", "-c", WRITE, *map(str, paths), readable=(given,))
    assert state.exit_code == 0
    assert b"written" not in log
    spec = each_yard.spec()
    good = [spec.workdir / "x", spec.outputs / "x", Path("/tmp/x"), Path("/home/person/x")]
    _, log = await each_yard.run("python", "-c", WRITE, *map(str, good), name="good")
    assert log.count(b"written") == 2, "tmp and home; the others belong to another run"
    found = await look(each_yard, given / "data", readable=(given,), name="read")
    assert found == {str(given / "data"): "1"}


async def test_platform_processes_can_be_neither_seen_nor_signalled(each_yard: Yard) -> None:
    code = (
        "import os,sys\n"
        "seen = [int(n) for n in os.listdir('/proc') if n.isdigit()]\n"
        "print(len(seen), max(seen) < 20)\n"
        "for pid in map(int, sys.argv[1:]):\n"
        "    try: os.kill(pid, 0); print('reached', pid)\n"
        "    except OSError as error: print(type(error).__name__)\n"
    )
    pids = [str(os.getpid()), str(each_yard.runtime.nursery.pid)]
    state, log = await each_yard.run("python", "-c", code, *pids)
    assert state.exit_code == 0
    first, *rest = log.decode().splitlines()
    assert int(first.split()[0]) <= 4
    assert rest == ["ProcessLookupError"] * 2


async def test_no_descriptor_of_ours_is_inherited(each_yard: Yard) -> None:
    code = "import os; print([os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd') if int(n) > 2 and os.path.exists(f'/proc/self/fd/{n}')])"  # noqa: E501
    _, log = await each_yard.run("python", "-c", code)
    assert b"socket" not in log
    assert b"pipe" not in log


async def test_full_means_a_uid_per_person_and_no_right(full_yard: Yard) -> None:
    code = "import os; print(os.getuid(), os.getgid(), os.getgroups()); print(open('/proc/self/status').read())"  # noqa: E501
    uids = {}
    for person in ("ada", "bob", "ada"):
        state, log = await full_yard.run(
            "python", "-c", code, person_id=person, name=f"{person}{len(uids)}"
        )
        assert state.isolation is Isolation.FULL
        text = log.decode()
        uid, gid, groups = text.split("\n", 1)[0].split(" ", 2)
        assert uid == gid
        assert groups in (f"[{gid}]", "[]")
        assert uids.setdefault(person, uid) == uid
        words = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(words[name], 16) == 0, name
        assert words["NoNewPrivs"] == "1"
    assert uids["ada"] != uids["bob"]
    assert min(map(int, uids.values())) >= full_yard.settings.first_uid


async def test_folders_are_given_to_the_person_but_not_shared_files(full_yard: Yard) -> None:
    spec = full_yard.spec("sh", "-c", "touch d/new && touch f; touch shared 2>/dev/null; true")
    (spec.workdir / "d").mkdir()
    (spec.workdir / "f").write_text("")
    platforms = full_yard.folder / "files" / "object"
    platforms.write_text("x")
    os.link(platforms, spec.workdir / "shared")
    outside = full_yard.folder / "files" / "outside"
    outside.write_text("x")
    (spec.workdir / "link").symlink_to(outside)
    await full_yard.runtime.start(spec)
    state = await full_yard.over(spec.key)
    assert state.exit_code == 0
    owner = (spec.workdir / "f").stat().st_uid
    assert owner >= full_yard.settings.first_uid
    assert (spec.workdir / "d" / "new").stat().st_uid == owner
    assert platforms.stat().st_uid == outside.stat().st_uid == os.getuid()


async def test_setuid_programs_give_nothing(full_yard: Yard) -> None:
    _, log = await full_yard.run("sh", "-c", "su -c id root < /dev/null; id -u; sudo -n id; true")
    assert b"uid=0" not in log


async def test_account_inside_has_a_name(each_yard: Yard) -> None:
    code = "import getpass, os, pwd; print(getpass.getuser(), pwd.getpwuid(os.getuid()).pw_dir)"
    _, log = await each_yard.run("python", "-c", code)
    assert log.split() == [b"person", b"/home/person"]


async def test_hidden_folder_below_a_shown_one_is_empty(make_yard: MakeYard) -> None:
    yard = await make_yard(hidden=(Path("/usr/share"),))
    if yard.runtime.isolation is Isolation.NONE:
        pytest.skip("no sandbox works here")
    assert await look(yard, "/usr/share") == {"/usr/share": []}


def test_base_of_an_environment_is_found_over_links(tmp_path: Path) -> None:
    real = tmp_path / "python-3.11.7"
    (real / "bin").mkdir(parents=True)
    (real / "lib" / "python3.11").mkdir(parents=True)
    (real / "bin" / "python3.11").write_text("")
    (tmp_path / "python-3.11").symlink_to(real)
    environment = tmp_path / "venv"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python3").symlink_to(tmp_path / "python-3.11" / "bin" / "python3.11")
    (environment / "bin" / "python").symlink_to("python3")
    (environment / "pyvenv.cfg").write_text(f"home = {real}/bin\n")
    found = {name: real for real, name in base_prefixes(environment)}
    assert found == {tmp_path / "python-3.11": real, real: real}
