"""HTTP of the console: the first page and its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.console import overview
from services.core import pages
from services.core.auth.sessions import SESSION, Sessions, cookie_in
from services.core.errors import NotFound
from services.core.rights import Permission
from services.core.routing import PREFIX, Call, Routes

HERE = Path(__file__).parent
TYPES = {".css": "text/css", ".svg": "image/svg+xml", ".js": "text/javascript"}
POLICY = f"{pages.POLICY}; script-src 'self'; connect-src 'self'"

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


@routes.get("", Permission.PUBLIC, **_PAGE)
async def without_slash(call: Call) -> None:
    """Send the browser to the first page's own address."""
    call.answer_with(302, {"Location": f"{PREFIX}/"})


@routes.get("/", Permission.ME_READ, **_PAGE)
async def home(call: Call) -> None:
    """Show the first page."""
    found = await overview.gather(call.work)
    text = _templates.get_template("home.html").render(
        found=found, prefix=PREFIX, xsrf=await _xsrf(call)
    )
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY}
    call.answer_with(200, headers)
    await call.send(text.encode())


@routes.get("/static/{name}", Permission.PUBLIC, **_PAGE)
async def static(call: Call) -> None:
    """Give one of the pages' own files."""
    found = _FILES.get(call.path["name"])
    if found is None:
        raise NotFound("There is no such file.")
    content, media_type = found
    headers = {"Content-Type": f"{media_type}; charset=utf-8", "Cache-Control": "max-age=60"}
    call.answer_with(200, headers)
    await call.send(content)


async def _xsrf(call: Call) -> str | None:
    """Give the value that the log-out form shows; None for a caller without a session."""
    sessions = call.context.get(Sessions)
    value = cookie_in(call.header("Cookie"), sessions.cookie(SESSION))
    session = None if value is None else await sessions.find(value)
    return None if session is None else session.xsrf
