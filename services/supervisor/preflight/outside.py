"""What stands outside of the cluster: the database's server, the bucket, the names of hosts.

Called by `examine`. Seen from where the command runs, which may not be where the pods are; what
cannot be reached is said as such. It logs in and looks, and writes nothing.
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

from services.supervisor.preflight.findings import Finding, bad, good, unseen
from services.supervisor.preflight.values import Values
from spawners.kubernetes.api import Api, Refusal, Unreachable

INSIDE = "if only pods reach it, run this command in one: image smalti/platform"
PATIENCE = 5


async def database(api: Api, values: Values, namespace: str) -> AsyncIterator[Finding]:
    """Log in to the three databases with the passwords of the Secret."""
    if values["database"]["mode"] != "external":
        yield good("the database will be one of the chart's, for a trial")
        return
    passwords = await _secret(api, namespace, values["database"]["existingSecret"])
    if passwords is None:
        yield unseen("the databases cannot be tried: their passwords cannot be read",
                     "see what is said of database.existingSecret")  # fmt: skip
        return
    server = values["database"]["external"]
    for name in ("hub", "platform", "experiments"):
        user, of = values["database"]["users"][name], values["database"]["names"][name]
        where = f"{of} at {server['host']}:{server['port']}"
        why = await asyncio.to_thread(
            _log_in, server, user, of, passwords.get(name, b"").decode().strip()
        )
        if why is None:
            yield good(f"database {where} takes {user}")
        else:
            remedy = f"make user and database, owned by it, and let the cluster in; {INSIDE}"
            yield bad(f"database {where}, as {user}: {why}", remedy)


def _log_in(server: dict[str, Any], user: str, name: str, password: str) -> str | None:
    """Try one login; None when it works and tables may be made."""
    import psycopg

    where = {"host": server["host"], "port": server["port"], **server["options"]}
    try:
        with psycopg.connect(
            dbname=name, user=user, password=password, connect_timeout=PATIENCE, **where
        ) as connection:
            row = connection.execute(
                "SELECT has_schema_privilege(current_schema(), 'CREATE')"
            ).fetchone()
    except (psycopg.Error, UnicodeError) as error:
        return " ".join(str(error).split())[:300]
    return None if row and row[0] else "it may not make tables there"


async def objects(api: Api, values: Values, namespace: str) -> AsyncIterator[Finding]:
    """Ask for the bucket with the credentials of the Secret."""
    if values["objects"]["mode"] != "s3":
        return
    s3 = values["objects"]["s3"]
    given = await _secret(api, namespace, s3["existingSecret"]) if s3["existingSecret"] else {}
    if given is None:
        yield unseen("the bucket cannot be tried: its credentials cannot be read",
                     "see what is said of objects.s3.existingSecret")  # fmt: skip
        return
    try:
        known = json.loads(given.get("s3.json", b"{}"))
    except ValueError:
        yield bad("s3.json is not JSON", 'write {"access_key": "...", "secret_key": "..."}')
        return
    why = await asyncio.to_thread(_ask_bucket, s3, known)
    if why is None:
        yield good(f"bucket {s3['bucket']} answers")
    else:
        remedy = f"make the bucket, and let the key list, get, put and delete; {INSIDE}"
        yield bad(f"bucket {s3['bucket']}: {why}", remedy)


def _ask_bucket(s3: dict[str, Any], known: dict[str, str]) -> str | None:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    endpoint = s3["endpoint"] or None
    patience = Config(
        connect_timeout=PATIENCE, read_timeout=PATIENCE, retries={"total_max_attempts": 1}
    )
    try:
        client = boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint,
            region_name=s3["region"] or ("us-east-1" if endpoint else None),
            aws_access_key_id=known.get("access_key"),
            aws_secret_access_key=known.get("secret_key"),
            config=patience,
        )
        client.head_bucket(Bucket=s3["bucket"])
    except (BotoCoreError, ClientError, ValueError) as error:
        return " ".join(str(error).split())[:300]
    return None


async def names(values: Values) -> list[Finding]:
    """Resolve the public host and one below it, as a person's browser would."""
    host = urlsplit(values["publicUrl"]).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return [good(f"{host} is this machine: for a trial, by kubectl port-forward")]
    found = []
    for name in (host, f"somebody.{host}"):
        try:
            await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
            found.append(good(f"{name} resolves"))
        except OSError:
            found.append(bad(
                f"{name} does not resolve",
                f"let {host} and *.{host} lead to the ingress controller's address: workspaces "
                "have hosts of their own",
            ))  # fmt: skip
    return found


async def _secret(api: Api, namespace: str, name: str) -> dict[str, bytes] | None:
    """Read a Secret; None when it cannot be."""
    try:
        found = await api.call("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}")
    except (Refusal, Unreachable):
        return None
    return {key: base64.b64decode(text) for key, text in (found.get("data") or {}).items()}
