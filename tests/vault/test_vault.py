"""The vault with each keeper: sealing, rotation while running, outages, wrong keys."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from services import vault
from services.core.rights import PlatformRole
from services.core.work import Work
from services.vault import Damaged, Owner, Vault, VaultAway, WrongKey, store
from services.vault.masters import FileKeys
from services.vault.tables import sealed, vault_keys, vault_rotations
from tests.house import House
from tests.instance import free_port
from tests.vault.conftest import kms, kms_settings, transit_settings, write_private
from tests.vault.keepers import Bao, bao

CANARY = b"canary-5ecret-value-0123456789"
OWNER = Owner("person", "person-1", "API_KEY")


@asynccontextmanager
async def house_with(
    request: pytest.FixtureRequest, folder: Path, keeper: str, url: str | None = None
) -> AsyncIterator[House]:
    """A platform whose master key is kept by one of the keepers."""
    made = House(folder, url)
    more: dict[str, Any] = {}
    if keeper == "kms":
        endpoint, key = request.getfixturevalue("kms_server"), request.getfixturevalue("kms_key")
        more = kms_settings(made.home, endpoint, key)
    elif keeper == "transit":
        server: Bao = request.getfixturevalue("bao_server")
        key = f"key-{folder.name[-20:].strip('-_')}"
        server.client.secrets.transit.create_key(key)
        more = transit_settings(made.home, server, key, server.policy_token(key))
    for name, value in more.items():
        setattr(made.settings, name, value)
    async with made:
        yield made


@pytest.fixture(params=["file", "kms", "transit"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    async with house_with(request, tmp_path, request.param) as made:
        yield made


async def put(house: House, owner: Owner = OWNER, value: bytes = CANARY) -> None:
    """Seal and store a value."""
    sealed_value = await house.context.get(Vault).seal(owner, value)
    await Work(house.context).write(vault.keep, sealed_value)


async def got(house: House, owner: Owner = OWNER) -> bytes:
    """Load and open a value."""
    found = await Work(house.context).read(vault.sealed_one, owner)
    assert found is not None
    return (await house.context.get(Vault).open_all([found]))[0]


async def rotated(house: House, what: str = "master") -> dict[str, Any]:
    """Begin a rotation through the API and wait for its end."""
    admin = await house.sign_in("root", PlatformRole.ADMIN)
    begun = await house.call("POST", "/vault/rotations", as_=admin, json={"what": what})
    assert begun.status_code == 202, begun.text
    async with asyncio.timeout(30):
        while True:
            view: dict[str, Any] = (await house.call("GET", "/vault", as_=admin)).json()
            if view["rotation"]["phase"] == "done":
                return view
            await asyncio.sleep(0.05)


async def rows(house: House) -> list[Any]:
    """All sealed rows."""
    return list(await house.context.db.read(lambda tx: tx.all(select(sealed))))


async def test_a_value_comes_back_and_its_row_says_nothing(kept: House) -> None:
    await put(kept)
    await put(kept, replace(OWNER, name="OTHER"))
    assert await got(kept) == CANARY
    first, second = await rows(kept)
    assert CANARY not in first.content + first.data_key
    assert first.data_key != second.data_key


async def test_a_row_moved_to_another_owner_or_name_does_not_open(kept: House) -> None:
    await put(kept)
    found = await Work(kept.context).read(vault.sealed_one, OWNER)
    assert found is not None
    for owner in (
        replace(OWNER, id="person-2"),
        replace(OWNER, name="OTHER"),
        replace(OWNER, kind="project"),
    ):
        with pytest.raises(Damaged) as caught:
            await kept.context.get(Vault).open_all([replace(found, owner=owner)])
        assert CANARY.decode() not in str(caught.value)
    flipped = bytearray(found.content)
    flipped[-1] ^= 1
    with pytest.raises(Damaged):
        await kept.context.get(Vault).open_all([replace(found, content=bytes(flipped))])


@pytest.mark.parametrize("what", ["master", "data"])
async def test_keys_are_changed_while_it_runs(kept: House, what: str) -> None:
    owners = [replace(OWNER, name=f"N{number}") for number in range(120)]
    for owner in owners:
        await put(kept, owner, owner.name.encode())
    before = {row.name: row for row in await rows(kept)}
    view = await rotated(kept, what)
    assert (view["rotation"]["done"], view["sealed"]) == (120, 120)
    assert len(view["master_keys"]) == 1
    after = {row.name: row for row in await rows(kept)}
    for name, row in after.items():
        assert row.data_key != before[name].data_key
        assert (row.content == before[name].content) == (what == "master")
    if what == "master" and view["provider"] != "kms":  # KMS changes what is behind a key itself
        assert {row.wrapped_by for row in after.values()} == set(view["master_keys"])
        assert before["N0"].wrapped_by not in view["master_keys"]
    for owner in owners:
        assert await got(kept, owner) == owner.name.encode()


async def test_sealing_within_a_transaction_needs_nobody_outside(kept: House) -> None:
    keeper = kept.context.get(Vault)
    async with asyncio.timeout(10):
        while not keeper.masters.local and not keeper._stock:
            await asyncio.sleep(0.01)

    def write(tx: Any) -> None:
        vault.keep(tx, keeper.seal_now(OWNER, CANARY))

    await Work(kept.context).write(write)
    assert await got(kept) == CANARY


async def test_an_interrupted_rotation_goes_on(tmp_path: Path, database_url: str) -> None:
    async with House(tmp_path, database_url) as first:
        for number in range(60):
            await put(first, replace(OWNER, name=f"N{number}"))
        old = first.context.get(Vault).masters.current()
        from services.vault import rotation, wiring

        for task in first.platform._tasks:  # its loop would bring it to its end
            if task.get_name() == "loop-vault-rotation":
                task.cancel()

        await Work(first.context).write(rotation.begin, "master", old)
        row = await Work(first.context).read(rotation.under_way)
        await rotation._renew(Work(first.context), row, wiring.learn)
        await rotation._some(Work(first.context), row)
        key = (first.home / "secrets" / "vault.key").read_text()
        assert len(key.split()) == 2
    again = House(tmp_path / "again", database_url)
    write_private(again.home / "secrets" / "vault.key", key)
    async with again:
        async with asyncio.timeout(20):
            while await Work(again.context).read(rotation.under_way) is not None:
                await asyncio.sleep(0.02)
        assert (again.home / "secrets" / "vault.key").read_text().split() == key.split()[1:]
        for number in range(60):
            assert await got(again, replace(OWNER, name=f"N{number}")) == CANARY


async def test_a_second_rotation_waits_for_the_first(house: House) -> None:
    from services.vault import rotation

    work = Work(house.context)

    def begin(tx: Any) -> None:
        rotation.begin(tx, "data", "x")
        rotation.begin(tx, "data", "x")

    with pytest.raises(Exception, match="under way"):
        await work.write(begin)
    assert await house.context.db.read(lambda tx: tx.all(select(vault_rotations))) == []


async def test_nothing_is_kept_under_a_key_that_was_retired_meanwhile(house: House) -> None:
    late = await house.context.get(Vault).seal(OWNER, CANARY)
    await rotated(house)
    with pytest.raises(VaultAway, match="try again"):
        await Work(house.context).write(vault.keep, late)
    await put(house)
    assert await got(house) == CANARY


async def test_only_administrators_change_keys(house: House) -> None:
    ada = await house.sign_in("ada")
    support = await house.sign_in("helper", PlatformRole.SUPPORT)
    for who, reads in ((ada, 403), (support, 200)):
        assert (await house.call("GET", "/vault", as_=who)).status_code == reads
        answer = await house.call("POST", "/vault/rotations", as_=who, json={})
        assert answer.status_code == 403


# -- wrong and missing keys --------------------------------------------------------------------


def table_of(house: House) -> Any:
    """Everything that the vault has stored."""

    def read(tx: Any) -> Any:
        return [tuple(row) for table in (sealed, vault_keys) for row in tx.all(select(table))]

    return house.context.db.read_now(read)


@pytest.mark.parametrize("fault", ["another", "missing", "open", "garbage"])
async def test_with_a_wrong_key_nothing_starts_and_nothing_is_lost(
    tmp_path: Path, fault: str
) -> None:
    url = f"sqlite:///{tmp_path / 'shared.sqlite'}"
    async with House(tmp_path, url) as first:
        await put(first)
        before = table_of(first)
        right = (first.home / "secrets" / "vault.key").read_text()
    again = House(tmp_path / "again", url)
    file = again.home / "secrets" / "vault.key"
    if fault == "missing":
        file.unlink()
    elif fault == "open":
        file.write_text(right)
        file.chmod(0o640)
    elif fault == "garbage":
        file.write_text("garbage")
    with pytest.raises(WrongKey) as caught:
        await again.__aenter__()
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert table_of(again) == before
    await again.platform.close()
    third = House(tmp_path / "third", url)
    write_private(third.home / "secrets" / "vault.key", right)
    async with third:
        assert await got(third) == CANARY


async def test_a_wrong_transit_key_refuses_to_start(tmp_path: Path, bao_server: Bao) -> None:
    url = f"sqlite:///{tmp_path / 'shared.sqlite'}"
    transit = bao_server.client.secrets.transit
    transit.create_key("right")
    transit.create_key("wrong")
    for folder, key in (("one", "right"), ("two", "wrong"), ("three", "nowhere")):
        house = House(tmp_path / folder, url)
        token = bao_server.policy_token(key)
        for name, value in transit_settings(house.home, bao_server, key, token).items():
            setattr(house.settings, name, value)
        if key == "right":
            async with house:
                await put(house)
            continue
        with pytest.raises(WrongKey, match="transit"):
            await house.__aenter__()
        await house.platform.close()


async def test_kms_away_is_told_in_words(tmp_path: Path) -> None:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", free_port())
    server.start()
    house = House(tmp_path)
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    key = str(kms(endpoint).create_key()["KeyMetadata"]["KeyId"])
    for name, value in kms_settings(house.home, endpoint, key).items():
        setattr(house.settings, name, value)
    async with house:
        await put(house)
        ada = await house.sign_in("ada")
        server.stop()
        body = {"name": "A", "value": CANARY.decode()}
        answer = await house.call("POST", "/secrets", as_=ada, json=body)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert "AWS KMS cannot be reached" in answer.json()["error"]["message"]
        assert CANARY.decode() not in answer.text


async def test_an_outage_is_told_in_words_and_ends_by_itself(tmp_path: Path) -> None:
    (tmp_path / "bao").mkdir()
    with bao(tmp_path / "bao") as server:
        server.client.secrets.transit.create_key("k")
        house = House(tmp_path)
        token = server.policy_token("k")
        for name, value in transit_settings(house.home, server, "k", token).items():
            setattr(house.settings, name, value)
        async with house:
            await put(house)
            ada = await house.sign_in("ada")
            body = {"name": "A", "value": CANARY.decode()}
            assert (await house.call("POST", "/secrets", as_=ada, json=body)).status_code == 201
            os.kill(server.process.pid, signal.SIGSTOP)
            began = asyncio.get_running_loop().time()
            away = await house.call("POST", "/secrets", as_=ada, json={**body, "name": "B"})
            assert away.status_code == 503, away.text
            assert "cannot be reached" in away.json()["error"]["message"]
            assert CANARY.decode() not in away.text
            assert asyncio.get_running_loop().time() - began < 30
            health = (await house.call("GET", "/services/smalti/health")).json()
            (found,) = [one for one in health["dependencies"] if one["name"] == "vault"]
            assert found["status"] != "ok"
            os.kill(server.process.pid, signal.SIGCONT)
            assert (await house.call("GET", "/secrets", as_=ada)).status_code == 200
            made = await house.call("POST", "/secrets", as_=ada, json={**body, "name": "B"})
            assert made.status_code == 201, made.text


async def test_from_the_file_to_transit_by_a_rotation(tmp_path: Path, bao_server: Bao) -> None:
    url = f"sqlite:///{tmp_path / 'shared.sqlite'}"
    async with House(tmp_path / "one", url) as first:
        await put(first)
        key = (first.home / "secrets" / "vault.key").read_text()
    bao_server.client.secrets.transit.create_key("moved")
    second = House(tmp_path / "two", url)
    write_private(second.home / "secrets" / "vault.key", key)
    token = bao_server.policy_token("moved")
    for name, value in transit_settings(second.home, bao_server, "moved", token).items():
        setattr(second.settings, name, value)
    async with second:
        assert await got(second) == CANARY
        view = await rotated(second)
        assert [name.partition(":")[0] for name in view["master_keys"]] == ["transit"]
        assert await got(second) == CANARY


def test_the_key_file_stays_private_and_whole(tmp_path: Path) -> None:
    file = tmp_path / "vault.key"
    write_private(file, "ab" * 32 + "\n")
    keys = FileKeys(file)
    old, wrapped = keys.wrap(b"k" * 32)
    keys.renew(old)
    keys.renew(old)
    new = keys.current()
    assert new != old
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(file.read_text().split()) == 2
    assert keys.unwrap(old, wrapped) == b"k" * 32
    keys.retire({new, old})
    assert keys.unwrap(old, wrapped) == b"k" * 32
    keys.retire({new})
    with pytest.raises(WrongKey, match=old):
        keys.unwrap(old, wrapped)
    assert [path.name for path in tmp_path.iterdir()] == ["vault.key"]


async def test_values_are_not_in_what_can_be_printed(house: House) -> None:
    keeper = house.context.get(Vault)
    key = keeper.new_key()
    assert key.plain.hex() not in repr(key)
    assert repr(key.plain) not in repr(key)
    await put(house)
    assert await Work(house.context).read(store.count) == 1


@pytest.mark.parametrize("keeper", ["kms", "transit"])
async def test_a_keeper_that_is_not_named_is_refused(tmp_path: Path, keeper: str) -> None:
    with pytest.raises(WrongKey, match="needed as well"):
        await House(tmp_path, vault_keys=keeper).__aenter__()


def test_credentials_that_others_can_read_are_refused(tmp_path: Path) -> None:
    from services.vault.kms import KmsKeys

    file = tmp_path / "kms.json"
    file.touch(mode=0o644)
    with pytest.raises(WrongKey, match="chmod 600"):
        KmsKeys("key", "eu-central-1", "", file)
