"""What the pages say by hand: links lead somewhere, variables and messages are all explained."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from traitlets.config import Config

from hub_config import roles
from hub_config.settings import HubSettings
from tests.docs.pages import DOCS, REPOSITORY, all_pages, read

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|^ {4}[^\n]*$|`[^`\n]*`", re.S | re.M)
ERRORS = {"SupervisorError", "NewerDatabase", "FetchError", "exit"}


@pytest.mark.parametrize("page", all_pages(), ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def anchors(page: Path) -> set[str]:
    """Anchors that a page's headings have, as they are made on the usual hosting sites."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def test_every_page_is_reached_from_the_index() -> None:
    index = read("docs/README.md")
    pages = [page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")]
    assert [page for page in pages if page != "README.md" and f"({page})" not in index] == []


def test_every_environment_variable_is_explained() -> None:
    explained = "".join(page.read_text(encoding="utf-8") for page in DOCS.rglob("reference/*.md"))
    names = set()
    for folder in ("services", "spawners", "hub_config", "extensions"):
        for file in (REPOSITORY / folder).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            names |= set(re.findall(r"(?<![A-Z_])SMALTI_[A-Z_]*[A-Z]\b", text))
    assert len(names) > 10
    assert sorted(name for name in names if name not in explained) == []


def test_every_sentence_at_start_is_explained() -> None:
    page = " ".join(read("docs/how-to/troubleshoot.md").replace("`", "").split())
    sentences = list(start_errors())
    assert len(sentences) > 10
    assert [one for one in sentences if one not in page] == []


def start_errors() -> Iterator[str]:
    """Give the longest fixed part of each error that a start may end with."""
    files = [*(REPOSITORY / "services" / "supervisor").rglob("*.py")]
    files += (REPOSITORY / "setup").glob("*.py")
    for file in [*files, REPOSITORY / "services" / "platform" / "migrate.py"]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in ERRORS and node.args:
                fixed = [
                    part.value
                    for part in ast.walk(node.args[0])
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                ]
                if fixed:
                    longest = max(fixed, key=len).replace("`", "")
                    yield " ".join(longest.split())[:45].strip()


def test_every_scope_of_our_services_is_explained(tmp_path: Path) -> None:
    config = Config()
    ports = {"frontdoor": 1, "hub": 2, "platform": 3, "traefik_api": 4, "experiments": 5}
    roles.configure(config, HubSettings(tmp_path, ports, path_only=False))
    page = read("docs/explanation/security.md")
    scopes = {scope for role in config.JupyterHub.load_roles for scope in role["scopes"]}
    scopes |= set(config.JupyterHub.extra_user_scopes)
    assert scopes
    assert sorted(scope for scope in scopes if f"`{scope}`" not in page) == []


def test_every_secret_file_is_explained() -> None:
    from services.supervisor.keys import SECRETS

    page = read("docs/explanation/security.md")
    assert [name for name in SECRETS if f"secrets/{name}`" not in page] == []


def test_pages_name_no_machine() -> None:
    told = re.compile(r"/root/|/home/[a-z]|/work/|/tmp/[a-z]|\b10\.\d+\.\d+\.\d+\b")
    found = [str(page) for page in all_pages() if told.search(page.read_text(encoding="utf-8"))]
    assert found == []
