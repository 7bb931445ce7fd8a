"""HTTP of the console: its page, its files, and a plain page for as long as it is not built.

Every address of the console gives the same page, which reads the address itself; `PAGES` lists
what these addresses begin with, so that an unknown one is still a 404.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.console import built, overview
from services.console.built import Built
from services.core import pages
from services.core.auth.sessions import SESSION, Sessions, cookie_in
from services.core.errors import NotFound
from services.core.rights import Permission
from services.core.routing import PREFIX, Call, Routes
from services.core.work import Context

HERE = Path(__file__).parent
PAGES = (
    "projects", "jobs", "workspaces", "environments", "secrets", "tokens", "profile", "admin",
)  # fmt: skip
TYPES = {".css": "text/css", ".svg": "image/svg+xml", ".js": "text/javascript"}
POLICY = f"{pages.POLICY}; script-src 'self'; connect-src 'self'"
FOR_EVER = "public, max-age=31536000, immutable"  # a built file's name holds its digest

routes = Routes("console", PREFIX)
_PAGE: dict[str, Any] = {"media_type": "text/html", "hidden": True, "cookie": True}
_FILES = {
    file.name: (file.read_bytes(), TYPES[file.suffix])
    for file in sorted((HERE / "static").iterdir())
    if file.suffix in TYPES
}
_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters["gib"] = lambda size: f"{size / (1 << 30):.3g}"


def provide(context: Context) -> None:
    """Put the built files in."""
    chosen = context.settings.console_folder
    context.provide(Built, Built(Path(chosen) if chosen else built.FOLDER))


def policy_of_console(nonce: str) -> str:
    """Write the console's policy: own scripts only; styles that its own scripts add, by nonce.

    Pictures that a job or a file holds are shown from memory (blob:), never from elsewhere.
    """
    return (
        "default-src 'none'; script-src 'self'; connect-src 'self'; "
        f"style-src 'self' 'nonce-{nonce}'; img-src 'self' blob: data:; font-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    )


@routes.get("", Permission.PUBLIC, **_PAGE)
async def without_slash(call: Call) -> None:
    """Send the browser to the first page's own address."""
    call.answer_with(302, {"Location": f"{PREFIX}/"})


@routes.get("/", Permission.ME_READ, **_PAGE)
async def home(call: Call) -> None:
    """Show the console, or the plain page."""
    if not await _console(call):
        await _plain(call)


async def page(call: Call) -> None:
    """Show the console at one of its addresses; before it is built, go to the first page."""
    if not await _console(call):
        call.answer_with(302, {"Location": f"{PREFIX}/"})


for _name in PAGES:
    routes.get(f"/{_name}", Permission.ME_READ, **_PAGE)(page)
    routes.get(f"/{_name}/{{rest*}}", Permission.ME_READ, **_PAGE)(page)


async def _console(call: Call) -> bool:
    nonce = secrets.token_urlsafe(18)
    text = call.context.get(Built).page(nonce)
    if text is None:
        return False
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy_of_console(nonce),
        "Cache-Control": "no-store",
    }
    call.answer_with(200, headers)
    await call.send(text)
    return True


async def _plain(call: Call) -> None:
    found = await overview.gather(call.work)
    why_plain, soon = call.context.get(Built).why_not()
    text = _templates.get_template("home.html").render(
        found=found,
        prefix=PREFIX,
        xsrf=await _xsrf(call),
        why_plain=why_plain,
        soon=soon,
    )
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY}
    call.answer_with(200, headers)
    await call.send(text.encode())


@routes.get("/static/{name}", Permission.PUBLIC, **_PAGE)
async def static(call: Call) -> None:
    """Give one of the plain page's own files."""
    found = _FILES.get(call.path["name"])
    if found is None:
        raise NotFound("There is no such file.")
    content, media_type = found
    headers = {"Content-Type": f"{media_type}; charset=utf-8", "Cache-Control": "max-age=60"}
    call.answer_with(200, headers)
    await call.send(content)


@routes.get("/static/built/{name}", Permission.PUBLIC, **_PAGE)
async def built_file(call: Call) -> None:
    """Give one of the console's built files."""
    file = call.context.get(Built).file(call.path["name"])
    if file is None:
        raise NotFound("There is no such file.")
    content, coding = file.taken_by(call.header("Accept-Encoding"))
    headers = {
        "Content-Type": file.media_type,
        "Cache-Control": FOR_EVER,
        "Vary": "Accept-Encoding",
        "Content-Length": str(len(content)),
    }
    if coding is not None:
        headers["Content-Encoding"] = coding
    call.answer_with(200, headers)
    await call.send(content)


async def _xsrf(call: Call) -> str | None:
    """Give the value that the log-out form shows; None for a caller without a session."""
    sessions = call.context.get(Sessions)
    value = cookie_in(call.header("Cookie"), sessions.cookie(SESSION))
    session = None if value is None else await sessions.find(value)
    return None if session is None else session.xsrf
