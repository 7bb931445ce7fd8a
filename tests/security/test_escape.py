"""S15 sandbox escape: what a hostile program finds when it looks around, as a real job."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.benchmarks.platform_use import FINAL, start, wait_for
from tests.instance import Instance

# Tries everything in its list and says as JSON what worked. Standard library only.
HOSTILE = """
import ctypes, json, os, socket, subprocess, sys, urllib.request, urllib.error
plan = json.loads(sys.argv[1])
done = {"read": [], "listed": [], "written": [], "signalled": [], "answers": {}}
for path in plan["read"]:
    try:
        open(path, "rb").read(1); done["read"].append(path)
    except OSError: pass
for path in plan["list"]:
    try:
        done["listed"] += [path + "/" + name for name in os.listdir(path)]
    except OSError: pass
for path in plan["write"]:
    try:
        open(path, "ab").close(); done["written"].append(path)
    except OSError: pass
for pid in plan["pids"]:
    try:
        os.kill(pid, 0)
    except OSError: continue
    name = open(f"/proc/{pid}/cmdline", "rb").read().decode(errors="replace")
    done["signalled"].append([pid, name])
libc = ctypes.CDLL(None, use_errno=True)
done["ptrace"] = [pid for pid in plan["pids"] if libc.ptrace(16, pid, 0, 0) == 0]
done["mount"] = libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)
done["setuid"] = libc.setuid(0)
done["chroot"] = libc.chroot(b"/tmp")
done["setns"] = libc.setns(os.open("/proc/1/ns/mnt", os.O_RDONLY), 0) if os.access("/proc/1/ns/mnt", os.R_OK) else -1
done["mknod"] = libc.mknod(b"/tmp/disk", 0o60666, os.makedev(8, 0))
done["unshare_net"] = libc.unshare(0x40000000)
done["devices"] = sorted(os.listdir("/dev"))
done["ids"] = [os.getuid(), os.geteuid(), os.getgroups()]
done["caps"] = [l.split()[1] for l in open("/proc/self/status") if l.startswith(("CapEff", "CapBnd", "CapPrm"))]
done["no_new_privs"] = [l.split()[1] for l in open("/proc/self/status") if l.startswith("NoNewPrivs")]
done["processes"] = len([n for n in os.listdir("/proc") if n.isdigit()])
done["sysctl"] = os.access("/proc/sys/kernel/core_pattern", os.W_OK)
done["open"] = sorted(os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd") if os.path.islink(f"/proc/self/fd/{n}"))
done["setuid_programs"] = []
for url in plan["urls"]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer: done["answers"][url] = answer.status
    except urllib.error.HTTPError as error: done["answers"][url] = error.code
    except OSError as error: done["answers"][url] = str(error)
print("FOUND " + json.dumps(done))
"""  # noqa: E501


def contents(folder: Path, most: int = 400) -> list[str]:
    """Files below a folder, as the platform's owner sees them."""
    found: list[str] = []
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in ("environments", "lib")]
        found += [str(Path(where) / name) for name in names]
    return found[:most]


def hostile(lab: tuple[httpx.Client, str], plan: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Run the program; give its job and what it could do."""
    client, project_id = lab
    whole = {"read": [], "list": [], "write": [], "pids": [], "urls": [], **plan}
    job = start(client, project_id, ["python", "-c", HOSTILE, json.dumps(whole)])
    job = wait_for(client, job["id"], FINAL, 90)
    text = client.get(f"/jobs/{job['id']}/logs?follow=false").text
    assert "FOUND " in text, (job, text)
    done: dict[str, Any] = json.loads(text.split("FOUND ", 1)[1].splitlines()[0])
    if job["isolation"] == "none":
        pytest.skip("no sandbox works on this machine: runs are not kept apart here")
    return job, done


@pytest.fixture
def neighbour(lab: tuple[httpx.Client, str]) -> Any:
    """Another run that is going on while the hostile one looks around."""
    client, project_id = lab
    code = "import time; open('mine.txt', 'w').write('secret'); time.sleep(300)"
    job = start(client, project_id, ["python", "-c", code])
    wait_for(client, job["id"], {"Running"})
    yield job
    client.post(f"/jobs/{job['id']}/stop")
    wait_for(client, job["id"], FINAL)


def test_a_run_reads_and_writes_nothing_of_the_platform(
    smalti: Instance, lab: tuple[httpx.Client, str], neighbour: Any
) -> None:
    home = smalti.home
    files = contents(home)
    assert str(home / "secrets" / "signing.key") in files
    assert any(neighbour["id"] in file for file in files), "the neighbour's files are there"
    code = Path(__file__).parents[2]
    environment = home / "environments" / "default" / "1"
    inside = next(environment.glob("lib/python3*/site-packages"))
    _, done = hostile(
        lab,
        {
            "read": [*files, str(code / "services" / "core" / "settings.py"), "/etc/shadow"],
            "list": [str(home), str(home / "secrets"), str(home / "agent"), str(home / "platform"),
                     str(home / "agent" / "runs"), "/root", str(code)],
            "write": [*files[:100], str(inside / "sitecustomize.py"),
                      str(environment / "pyvenv.cfg"), str(environment / "bin" / "python"),
                      sys.executable, "/usr/bin/env",
                      "/etc/passwd", "/etc/hosts", "/etc/ld.so.preload",
                      str(code / "services" / "core" / "settings.py")],
        },
    )  # fmt: skip
    # The checkout borrows its project's objects: those, read-only, are its own code.
    own = str(home / "agent")
    foreign = [path for path in done["read"] if not (path.startswith(own) and "objects" in path)]
    assert foreign == []
    # Folders above the run's own are there, empty but for the way to it.
    assert not [path for path in done["listed"] if path in files or neighbour["id"] in path]
    seen = {Path(path).name for path in done["listed"] if Path(path).parent == home}
    assert seen <= {"agent", "environments"}, seen
    assert done["written"] == []


def test_a_run_touches_no_process_but_its_own(
    smalti: Instance, lab: tuple[httpx.Client, str], neighbour: Any
) -> None:
    pids = [*smalti.pids().values(), os.getpid(), os.getppid()]
    _, done = hostile(lab, {"pids": pids})
    ours = ("jupyterhub", "services.platform", "traefik", "services.planes.agent", "pytest")
    assert not [found for found in done["signalled"] if any(one in found[1] for one in ours)]
    assert done["processes"] < 10
    assert {smalti.pid(name) for name in ("hub", "platform")} <= set(pids)


def test_a_run_has_no_power_over_the_machine(lab: tuple[httpx.Client, str]) -> None:
    _, done = hostile(lab, {})
    for deed in ("mount", "setuid", "chroot", "setns", "mknod"):
        assert done[deed] != 0, deed
    assert done["ids"][0] != 0
    assert 0 not in done["ids"][2]
    assert all(int(caps, 16) == 0 for caps in done["caps"]), done["caps"]
    assert done["no_new_privs"] == ["1"]
    assert not done["sysctl"]
    allowed = {"core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr",
               "stdin", "stdout", "tty", "urandom", "zero", "console"}  # fmt: skip
    assert set(done["devices"]) <= allowed, done["devices"]


def test_a_run_inherits_no_open_file_of_the_platform(
    smalti: Instance, lab: tuple[httpx.Client, str]
) -> None:
    _, done = hostile(lab, {})
    home = str(smalti.home)
    inherited = [name for name in done["open"] if name.startswith(home)]
    assert all("/runs/" in name for name in inherited), done["open"]
    assert not [name for name in done["open"] if name.startswith("socket:")], done["open"]


def test_what_a_run_reaches_by_network_asks_who_it_is(
    smalti: Instance, lab: tuple[httpx.Client, str]
) -> None:
    """The network is shared: hub, platform and the front door's API are reachable. Without a
    credential they say no more than that they are there."""
    ports = smalti.ports()
    hub, platform, api = (ports[name] for name in ("hub", "platform", "traefik_api"))
    asks = [
        f"http://127.0.0.1:{hub}/hub/api/users",
        f"http://127.0.0.1:{hub}/hub/api/info",
        f"http://127.0.0.1:{hub}/hub/api/proxy",
        f"http://127.0.0.1:{platform}/services/smalti/api/v1/jobs",
        f"http://127.0.0.1:{platform}/services/smalti/api/v1/agent/commands",
        f"http://127.0.0.1:{platform}/services/smalti/api/v1/people",
        f"http://127.0.0.1:{api}/api/rawdata",
        f"http://127.0.0.1:{api}/api/http/routers",
        f"http://127.0.0.1:{smalti.port}/hub/api/users",
    ]
    _, done = hostile(lab, {"urls": asks})
    assert set(done["answers"]) == set(asks)
    for url, answer in done["answers"].items():
        assert answer in (401, 403, 404), (url, answer)


def test_a_runs_own_folders_are_closed_to_others(
    smalti: Instance, lab: tuple[httpx.Client, str], neighbour: Any
) -> None:
    """Also for whoever is not in a sandbox: another account of the machine."""
    for name in ("secrets", "agent", "platform", "hub"):
        mode = stat.S_IMODE((smalti.home / name).stat().st_mode)
        assert mode & 0o077 == 0, (name, oct(mode))
    assert stat.S_IMODE(smalti.home.stat().st_mode) & 0o022 == 0


def test_what_a_run_leaves_in_shared_places_no_later_run_finds(
    lab: tuple[httpx.Client, str],
) -> None:
    client, project_id = lab
    leave = (
        "import os\nfor p in ('/tmp', '/var/tmp', '/dev/shm', os.path.expanduser('~'), '.'):\n"
        "    open(p + '/left-behind', 'w').write('x')\n"
        "os.symlink('/', 'root')\nprint('left')"
    )
    first = start(client, project_id, ["python", "-c", leave])
    assert wait_for(client, first["id"], FINAL)["status"] == "Succeeded"
    places = [f"{p}/left-behind" for p in ("/tmp", "/var/tmp", "/dev/shm", "/home/run", ".")]
    _, done = hostile(lab, {"read": places})
    assert done["read"] == []


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "secrets/signing.key", "platform/platform.sqlite"]
)
def test_a_link_left_as_an_output_gives_nothing(
    smalti: Instance, lab: tuple[httpx.Client, str], target: str
) -> None:
    """The agent that collects outputs may read what the run may not: it follows no link."""
    client, project_id = lab
    path = target if target.startswith("/") else str(smalti.home / target)
    code = (
        "import os, sys\nout = os.environ['SMALTI_OUTPUTS']\n"
        "os.symlink(sys.argv[1], out + '/stolen')\n"
        "os.symlink(os.path.dirname(sys.argv[1]), out + '/folder')\n"
        "os.mkfifo(out + '/pipe')\n"
        "open(out + '/honest', 'w').write('x')"
    )
    job = start(client, project_id, ["python", "-c", code, path])
    job = wait_for(client, job["id"], FINAL)
    items = client.get(f"/jobs/{job['id']}/outputs").json()["items"]
    assert [one["path"] for one in items] == ["honest"], (job, items)
