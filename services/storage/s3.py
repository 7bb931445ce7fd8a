"""The object store on S3: one object per object, by boto3.

boto3 blocks, so all of it is done in this store's own threads. What is long is sent and fetched
in parts, of which some are in memory at once: `PARTS` of `PART` bytes when it is put, `PIECE`
bytes when it is got. S3 itself has an object appear whole or not at all; a multipart upload
that does not come to its end is taken back, and one whose process died by the bucket's own rule
for unfinished uploads (`docs/explanation/storage.md`).

Credentials come from where boto3 finds them (environment, instance role) or from the 0600 file
`secrets/s3.json`; never from settings. Loaded only where it is chosen: boto3 is large.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC
from itertools import islice
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from services.core.errors import NotFound, StorageFull, TooLarge, Unavailable
from services.core.health import Status
from services.core.settings import Settings
from services.storage.downloads import attachment_headers
from services.storage.keys import check_key, check_prefix
from services.storage.objects import ObjectStore, Stat, Stored
from services.storage.signing import LONGEST_SECONDS, Signer

T = TypeVar("T")

MiB = 1 << 20
PART = 8 * MiB
MOST_PARTS = 10_000  # S3's own limit: parts grow with the number of those before them
PARTS = 3  # of one upload on their way at once
PIECE = MiB
BATCH = 1000
THREADS = 16
_MISSING = {"NoSuchKey", "404", "NotFound"}
_PLAIN = {  # what S3 says, in words
    "NoSuchBucket": "there is no such bucket",
    "AccessDenied": "these credentials may not do this there",
    "403": "these credentials may not do this there",
    "InvalidAccessKeyId": "its access key is not known",
    "SignatureDoesNotMatch": "its secret key is wrong",
    "ExpiredToken": "its credentials have ended",
    "SlowDown": "it asks us to be slower",
}


class S3Store(ObjectStore):
    """Objects in one bucket, below one prefix."""

    def __init__(self, client: Any, bucket: str, prefix: str, signer: Signer) -> None:
        self._s3, self._bucket, self._prefix, self._signer = client, bucket, prefix, signer
        self._threads = ThreadPoolExecutor(THREADS, "s3")

    async def put(
        self,
        key: str,
        pieces: AsyncIterator[bytes],
        *,
        most: int | None = None,
        vital: bool = False,
    ) -> Stored:
        """Send part by part; what fits into one part, at once."""
        upload = _Upload(self, self._name(check_key(key)))
        try:
            async for piece in pieces:
                if most is not None and upload.size + len(piece) > most:
                    raise TooLarge(f"it is larger than {most} bytes")
                await upload.add(piece)
            await upload.end()
        except BaseException:
            upload.leave()
            self._threads.submit(upload.take_back)  # not awaited: a cancelled caller could not
            raise
        return Stored(key, upload.size, upload.sha256)

    async def put_bytes(self, key: str, data: bytes, *, vital: bool = False) -> Stored:
        """Send at once; it is safe when this returns."""
        await self.ask("put_object", Key=self._name(check_key(key)), Body=data)
        return Stored(key, len(data), hashlib.sha256(data).hexdigest())

    async def get(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Fetch piece by piece over one connection."""
        body = await self._body(key, start, end)
        if body is None:
            return
        try:
            while piece := await self.do(body.read, PIECE):
                yield piece
        finally:
            self._threads.submit(body.close)  # after a read that may still be under way

    async def get_bytes(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        """Fetch at once."""
        body = await self._body(key, start, end)
        if body is None:
            return b""
        try:
            data: bytes = await self.do(body.read)
        finally:
            body.close()
        return data

    async def _body(self, key: str, start: int, end: int | None) -> Any:
        """Begin to fetch a range; None when nothing lies in it. Raises NotFound."""
        name = self._name(check_key(key))
        more = {}
        if start or end is not None:
            if end is not None and end <= start:
                await self.stat(key)
                return None
            more["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        try:
            return (await self.ask("get_object", Key=name, **more))["Body"]
        except _OutOfRange:
            return None

    async def stat(self, key: str) -> Stat:
        """Ask for the object's head."""
        found = await self.ask("head_object", Key=self._name(check_key(key)))
        return Stat(key, found["ContentLength"], found["LastModified"].astimezone(UTC))

    async def delete(self, key: str) -> None:
        """Delete the object."""
        await self.ask("delete_object", Key=self._name(check_key(key)))

    async def delete_prefix(self, prefix: str) -> None:
        """Delete what is below, a thousand at once."""
        if "/" not in check_prefix(prefix):
            raise ValueError(f"too much at once: {prefix!r}")
        found = self._walk(prefix)
        while batch := await self.do(lambda: tuple(islice(found, BATCH))):
            names = [{"Key": self._name(stat.key)} for stat in batch]
            await self.ask("delete_objects", Delete={"Objects": names, "Quiet": True})

    async def list(self, prefix: str) -> AsyncIterator[Stat]:
        """List page by page."""
        found = self._walk(check_prefix(prefix))
        while batch := await self.do(lambda: tuple(islice(found, BATCH))):
            for stat in batch:
                yield stat

    def _walk(self, prefix: str) -> Iterator[Stat]:
        after: dict[str, str] = {}
        while True:
            page = self.call(
                "list_objects_v2", Prefix=f"{self._name(prefix)}/", MaxKeys=BATCH, **after
            )
            for one in page.get("Contents", []):
                key = one["Key"].removeprefix(self._prefix)
                yield Stat(key, one["Size"], one["LastModified"].astimezone(UTC))
            if not page.get("IsTruncated"):
                return
            after = {"ContinuationToken": page["NextContinuationToken"]}

    def sign_get(
        self, key: str, *, filename: str, media_type: str | None = None, seconds: float = 300
    ) -> str:
        """Presign: the object comes straight from S3, as an attachment."""
        _check_seconds(seconds)
        headers = attachment_headers(filename, media_type)
        what = {
            "Bucket": self._bucket,
            "Key": self._name(check_key(key)),
            "ResponseContentDisposition": headers["Content-Disposition"],
            "ResponseContentType": headers["Content-Type"],
        }
        address: str = self._s3.generate_presigned_url("get_object", what, ExpiresIn=int(seconds))
        return address

    def sign_put(self, key: str, *, most: int, seconds: float = 900) -> str:
        """Sign a path of ours: a presigned PUT could not be held to `most` bytes."""
        return self._signer.sign_put(check_key(key), most, seconds)

    async def settle(self) -> None:
        """Do nothing: what S3 has answered is safe."""

    async def health(self) -> tuple[Status, str]:
        """Ask for the bucket."""
        try:
            await self.ask("head_bucket")
        except (NotFound, Unavailable) as error:
            return "failed", error.message
        return "ok", f"bucket {self._bucket}"

    async def close(self) -> None:
        """End the threads."""
        await asyncio.to_thread(self._threads.shutdown)

    # -- asking S3 -----------------------------------------------------------------------------

    async def do(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call in a thread, with what goes wrong in words."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: _plainly(function, *arguments))

    async def ask(self, verb: str, **what: Any) -> dict[str, Any]:
        """Call one of S3's verbs on the bucket."""
        return await self.do(lambda: self.call(verb, **what))

    def call(self, verb: str, **what: Any) -> dict[str, Any]:
        """The same in the calling thread."""

        def now() -> dict[str, Any]:
            answer: dict[str, Any] = getattr(self._s3, verb)(Bucket=self._bucket, **what)
            return answer

        return _plainly(now)

    def _name(self, key: str) -> str:
        return self._prefix + key


class _OutOfRange(Exception):
    """The range begins at or after the object's end."""


class _Upload:
    """One object on its way: parts are sent while the next one is gathered."""

    def __init__(self, store: S3Store, name: str) -> None:
        self._store, self._name = store, name
        self._hash = hashlib.sha256()
        self._gathered = bytearray()
        self._id: str | None = None
        self._sent: list[asyncio.Task[dict[str, Any]]] = []
        self.size = 0

    @property
    def sha256(self) -> str:
        """SHA-256 of what was given so far, in hex."""
        return self._hash.hexdigest()

    async def add(self, piece: bytes) -> None:
        """Take a piece; waits while as much as may be in memory is on its way."""
        self.size += len(piece)
        if len(piece) > 64 << 10:
            await self._store.do(self._hash.update, piece)
        else:
            self._hash.update(piece)
        self._gathered += piece
        while len(self._gathered) > self._part:
            part = bytes(memoryview(self._gathered)[: self._part])
            del self._gathered[: len(part)]
            await self._send(part)

    @property
    def _part(self) -> int:
        """Parts double with every thousand of them: 10,000 make 8 TiB and more."""
        return PART << (len(self._sent) * 10 // MOST_PARTS)

    async def end(self) -> None:
        """Send the rest and have S3 put it together."""
        if self._id is None:
            await self._store.ask("put_object", Key=self._name, Body=bytes(self._gathered))
            return
        await self._send(bytes(self._gathered))
        parts = [await task for task in self._sent]
        await self._store.ask(
            "complete_multipart_upload",
            Key=self._name,
            UploadId=self._id,
            MultipartUpload={"Parts": parts},
        )

    async def _send(self, part: bytes) -> None:
        if self._id is None:
            begun = await self._store.ask("create_multipart_upload", Key=self._name)
            self._id = str(begun["UploadId"])
        number = len(self._sent) + 1
        if number > PARTS:
            await self._sent[-PARTS]
        self._sent.append(asyncio.create_task(self._send_part(number, part)))

    async def _send_part(self, number: int, part: bytes) -> dict[str, Any]:
        what = {"UploadId": self._id, "PartNumber": number, "Body": part}
        answer = await self._store.ask("upload_part", Key=self._name, **what)
        return {"PartNumber": number, "ETag": answer["ETag"]}

    def leave(self) -> None:
        """Send no more."""
        for task in self._sent:
            task.cancel()
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    def take_back(self) -> None:
        """Have S3 forget what was sent; blocks."""
        if self._id is not None:
            with suppress(NotFound, Unavailable):  # the bucket's rule for unfinished ones is left
                self._store.call("abort_multipart_upload", Key=self._name, UploadId=self._id)


def _plainly(function: Callable[..., T], *arguments: Any) -> T:
    try:
        return function(*arguments)
    except ClientError as error:
        raise _in_words(error) from error
    except (BotoCoreError, OSError) as error:
        raise Unavailable(
            f"The object store cannot be reached ({type(error).__name__}).", code="objects_away"
        ) from error


def _in_words(error: ClientError) -> Exception:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _MISSING and error.operation_name != "HeadBucket":
        return NotFound("the file is not there (any more)")
    if code in ("InvalidRange", "416"):
        return _OutOfRange()
    if code in ("QuotaExceeded", "InsufficientStorage", "XMinioStorageFull"):
        return StorageFull("The object store is full.")
    if code in _MISSING:
        code = "NoSuchBucket"
    why = _PLAIN.get(code, code or "it refused")
    return Unavailable(f"The object store does not take this: {why}.", code="objects_away")


def _check_seconds(seconds: float) -> None:
    if not 0 < seconds <= LONGEST_SECONDS:
        raise ValueError(f"an address lives at most {LONGEST_SECONDS} s")


def make_client(settings: Settings) -> Any:
    """Make boto3's client out of the settings and the credentials' file, if there is one."""
    given = settings.s3_credentials()
    return boto3.session.Session().client(
        "s3",
        endpoint_url=settings.s3_endpoint or None,
        region_name=settings.s3_region or ("us-east-1" if settings.s3_endpoint else None),
        aws_access_key_id=given.get("access_key"),
        aws_secret_access_key=given.get("secret_key"),
        config=Config(
            connect_timeout=5,
            read_timeout=60,
            retries={"total_max_attempts": 4, "mode": "standard"},
            max_pool_connections=THREADS,
            signature_version="s3v4",
            s3={"addressing_style": "path" if settings.s3_endpoint else "auto"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def bucket_problem(settings: Settings) -> str | None:
    """Say why the bucket cannot be used, None when it can; blocks. For `smalti-admin doctor`."""
    try:
        client = make_client(settings)
        _plainly(lambda: client.head_bucket(Bucket=settings.s3_bucket))
    except (NotFound, Unavailable) as error:
        return error.message
    except ValueError as error:
        return str(error)
    return None
