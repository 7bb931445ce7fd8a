"""The page that tells a person in a browser what went wrong. Plain, without scripts."""

from __future__ import annotations

from html import escape

from services.core.errors import PublicError
from services.core.routing import PREFIX

# Styles come from our own files only; nothing runs, nothing is framed, forms come back to us.
# The hub is on the same origin: logging out is a form of ours that ends in a redirect to it.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def problem(error: PublicError, request_id: str) -> str:
    """Write the page of one error."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Smalti</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="stylesheet" href="{PREFIX}/static/theme.css">'
        f'<link rel="stylesheet" href="{PREFIX}/static/console.css"></head>'
        '<body><main class="problem"><div class="card"><h1>That did not work</h1>'
        f"<p>{escape(error.message)}</p>"
        f'<p><a class="button" href="{PREFIX}/">Go to Smalti</a></p>'
        f'<p class="note">Request {escape(request_id)}</p></div></main></body></html>'
    )
