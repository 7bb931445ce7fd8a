"""One-time passwords: what somebody is told once, and has to change at the first login.

Made by whoever tells them: the supervisor for the first admin and for a lost password, `people`
for somebody new. They are kept by the hub alone, as a hash. Must never log or store one.
"""

from __future__ import annotations

import secrets

# Without what is easily confused when typed from paper.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def one_time_password() -> str:
    """Make a password that a person can type from paper: some 99 random bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(5)) for _ in range(4))
