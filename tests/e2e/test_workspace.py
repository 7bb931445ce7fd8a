"""A workspace as a person has it: its kernel, by the front door, through kills of all parts."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.conftest import Person
from tests.e2e.lab import Lab, answers, tools_are_built
from tests.instance import Instance


@pytest.fixture(scope="module")
def lab(smalti: Instance, admin: Person, wine: str) -> Iterator[Lab]:
    """A running workspace of the wine project."""
    tools_are_built(smalti)
    made = admin.json("workspaces", "create", wine, "--name", "lab")
    assert made["status"] == "Running", made
    yield Lab(smalti, "lab")
    admin.run("workspaces", "stop", "lab", "--wait")


async def test_a_kernel_runs_in_the_project(lab: Lab) -> None:
    answers(lab)
    kernel = lab.kernel()
    printed = await lab.run(kernel, "import os; print(sorted(os.listdir('.')))")
    assert "train.py" in printed
    variables = "SMALTI_PROJECT SMALTI_PROJECT_ID SMALTI_API_URL SMALTI_TOKEN SMALTI_RUN_ID"
    code = f"import os; print(all(os.environ.get(one) for one in {variables.split()!r}))"
    assert await lab.run(kernel, code) == "True\n"


@pytest.mark.parametrize("killed", ["hub", "platform", "agent", "frontdoor"])
async def test_a_kernels_state_outlives_a_kill(lab: Lab, killed: str) -> None:
    answers(lab)
    kernel = lab.kernel()
    mark = secrets.token_hex(8)
    await lab.run(kernel, f"mark = {mark!r}")
    old = lab.smalti.kill(killed)
    if killed in ("hub", "platform", "agent"):  # nobody's page notices
        assert await lab.run(kernel, "print(mark)") == f"{mark}\n"
    lab.smalti.wait_ready(killed, not_pid=old)
    answers(lab)
    assert await lab.run(kernel, "print(mark)") == f"{mark}\n"


async def test_files_persist_across_stop_and_start(lab: Lab, admin: Person) -> None:
    answers(lab)
    kernel = lab.kernel()
    mark = secrets.token_hex(8)
    code = f"from pathlib import Path; Path('mine.txt').write_text({mark!r});"
    code += f"(Path.home() / 'mine.txt').write_text({mark!r})"
    await lab.run(kernel, code)
    admin.run("workspaces", "stop", "lab", "--wait")
    admin.run("workspaces", "start", "lab")
    answers(lab)
    code = "from pathlib import Path; "
    code += "print(Path('mine.txt').read_text(), (Path.home() / 'mine.txt').read_text())"
    assert await lab.run(lab.kernel(), code) == f"{mark} {mark}\n"


async def test_git_asks_for_no_password(lab: Lab) -> None:
    answers(lab)
    code = """
import subprocess
from pathlib import Path
Path('from-lab.txt').write_text('hello')
for words in (['add', '.'], ['-c', 'user.name=A', '-c', 'user.email=a@b', 'commit', '-m', 'Lab'],
              ['push', 'origin', 'HEAD'], ['pull']):
    done = subprocess.run(['git', *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    print(done.returncode, done.stderr[-200:] if done.returncode else '')
"""
    printed = await lab.run(lab.kernel(), code)
    assert [line.split()[0] for line in printed.splitlines() if line.strip()] == ["0"] * 4, printed


def test_strangers_do_not_get_in(lab: Lab) -> None:
    """S10, S14: the tool answers on its person's host, to that person."""
    answers(lab)
    url = f"{lab.smalti.url}{lab.path}/api/kernels"
    nobody = httpx.get(url, headers={"Host": lab.host}, timeout=30)
    assert nobody.status_code in (302, 401, 403)
    token = lab.smalti.add_person("stranger")
    headers = {"Host": lab.host, "Authorization": f"token {token}"}
    assert httpx.get(url, headers=headers, timeout=30).status_code in (302, 401, 403)
    path = f"{lab.smalti.hub_api}/users/stranger"
    made = httpx.patch(path, headers=lab.smalti.bearer(), json={"admin": True}, timeout=30)
    assert made.status_code == 200, made.text  # it is its person's own, whatever the hub's role
    assert httpx.get(url, headers=headers, timeout=30).status_code == 403
    main = {"Host": f"localhost:{lab.smalti.port}", **lab.headers} | {
        "Host": f"localhost:{lab.smalti.port}"
    }
    assert httpx.get(url, headers=main, timeout=30).status_code in (302, 404)
