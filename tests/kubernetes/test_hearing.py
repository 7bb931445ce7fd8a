"""What is believed of words about runs that come late."""

from __future__ import annotations

from typing import Any

import pytest

from spawners.kubernetes import manifests, sessions
from spawners.kubernetes.hearing import Acts, Hearing
from spawners.runtime import RunSpec
from tests.kubernetes.specs import PLAIN, SESSION, SETTINGS


@pytest.mark.parametrize("spec", [PLAIN, SESSION])
def test_what_was_removed_is_not_adopted_by_a_late_word(spec: RunSpec) -> None:
    served: list[Any] = []
    heard = Hearing(SETTINGS, Acts(lambda *_: None, lambda *what: served.append(what)))
    session = spec.remote is not None and spec.remote.session is not None
    one = sessions.pod(spec, SETTINGS) if session else manifests.job(spec, SETTINGS)
    hear = heard.on_pod if session else heard.on_job
    hear(True, one)
    run = heard.runs[spec.key]
    heard.remove(run)
    hear(True, one)
    assert heard.runs == {}
    assert len(served) == session
    heard.know(spec.key)  # and is taken up again by whoever starts it anew
    assert spec.key in heard.runs
