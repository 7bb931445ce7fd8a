"""Enrolling a far agent: a single-use token is exchanged for the agent's own credential.

Owns the one request that is made without a credential and the file it ends in. Called by the
entry point's `enrol`. Must never print the credential.
"""

from __future__ import annotations

import os
from pathlib import Path

import aiohttp
from pydantic import ValidationError

from services.planes.agent.settings import API_PATH
from services.planes.protocol import Enrolment, EnrolmentAnswer


class EnrolmentFailure(Exception):
    """The control plane did not give a credential. The text is for the operator."""


async def enrol(origin: str, token: str, version: str, file: Path) -> EnrolmentAnswer:
    """Exchange a token and keep the credential in a file of mode 0600. EnrolmentFailure."""
    body = Enrolment(token=token, version=version).model_dump_json().encode()
    headers = {"Content-Type": "application/json"}
    timeout = aiohttp.ClientTimeout(total=60)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(
                f"{origin}{API_PATH}/agents/enrol",
                data=body,
                headers=headers,
                allow_redirects=False,
            ) as response,
        ):
            data = await response.read()
            if response.status >= 300:
                raise EnrolmentFailure(f"refused with {response.status}: {data[:500]!r}")
        answer = EnrolmentAnswer.model_validate_json(data)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise EnrolmentFailure(f"{origin} cannot be reached: {error}") from error
    except ValidationError as error:
        raise EnrolmentFailure("the answer is not one of a control plane") from error
    keep(file, answer.credential)
    return answer


def keep(file: Path, credential: str) -> None:
    """Write a secret to a file that only we may read, in place of what was there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.tmp")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as stream:
        stream.write(credential + "\n")
        stream.flush()
        os.fsync(handle)
    temporary.replace(file)
