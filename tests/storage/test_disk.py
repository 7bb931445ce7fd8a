"""Low-disk mode: when it begins, when it ends, what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.errors import StorageFull
from services.core.metrics import FREE_DISK
from services.storage.disk import Disk, free_bytes

GiB = 1 << 30


class Meter:
    """A disk that has as much left as the test says."""

    def __init__(self, free: int) -> None:
        self.free = free

    def __call__(self, _: Path) -> int:
        return self.free


def test_it_begins_below_the_reserve_and_ends_a_quarter_above_it() -> None:
    meter = Meter(GiB)
    disk = Disk(Path("/"), GiB, meter)
    assert not disk.low
    for free, low, changed in [
        (GiB - 1, True, True),
        (GiB, True, False),
        (GiB * 5 // 4 - 1, True, False),
        (GiB * 5 // 4, False, True),
        (GiB, False, False),
    ]:
        meter.free = free
        assert disk.look() is changed
        assert (disk.low, disk.free) == (low, free)


def test_work_under_way_may_use_the_reserve_up_to_a_quarter() -> None:
    meter = Meter(GiB)
    disk = Disk(Path("/"), GiB, meter)
    disk.require()
    meter.free = GiB // 2
    disk.require(vital=True)
    with pytest.raises(StorageFull, match="512 MiB"):
        disk.require()
    meter.free = GiB // 4 - 1
    with pytest.raises(StorageFull):
        disk.require(vital=True)


@given(st.lists(st.integers(0, 4 * GiB), min_size=1))
def test_low_means_refused_and_never_flutters(measures: list[int]) -> None:
    meter = Meter(measures[0])
    disk = Disk(Path("/"), GiB, meter)
    for free in measures:
        was = disk.low
        meter.free = free
        disk.look()
        assert disk.low or free >= GiB
        assert not disk.low or free < GiB * 5 // 4
        if GiB <= free < GiB * 5 // 4:
            assert disk.low is was


async def test_health_says_what_it_means() -> None:
    meter = Meter(3 * GiB)
    disk = Disk(Path("/"), GiB, meter)
    assert await disk.health() == ("ok", "3072 MiB free")
    meter.free = 5 << 20
    disk.look()
    status, detail = await disk.health()
    assert status == "degraded"
    assert "5 MiB free" in detail
    assert "no work is admitted" in detail


def test_the_real_measure(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) > 0
    Disk(tmp_path, 0)
    assert FREE_DISK._value.get() > 0
