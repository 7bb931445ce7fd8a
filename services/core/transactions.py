"""What a function of the data layer is given: one open transaction and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable, Row

from services.core.errors import NotFound


class Transaction:
    """One open transaction: what actions and stores are given.

    Nobody outside this module opens or commits one; an exception rolls it back.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.now = datetime.now(UTC)
        self.after_commit: list[Callable[[], None]] = []

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.connection.dialect.name

    def execute(self, statement: Executable, values: Any = None) -> CursorResult[Any]:
        """Run a statement; a list of values runs it once for each."""
        return self.connection.execute(statement, values)

    def first(self, statement: Executable, values: Any = None) -> Row[Any] | None:
        """Return the first row, or None; `values` are for the statement's bound names."""
        return self.connection.execute(statement, values).first()

    def one(self, statement: Executable, what: str = "it") -> Row[Any]:
        """Return the first row. Raises NotFound, naming `what`, when there is none."""
        row = self.first(statement)
        if row is None:
            raise NotFound(f"{what} does not exist")
        return row

    def all(self, statement: Executable, values: Any = None) -> Sequence[Row[Any]]:
        """Return all rows; `values` are for the statement's bound names."""
        return self.connection.execute(statement, values).all()

    def scalar(self, statement: Executable) -> Any:
        """Return the first column of the first row, or None."""
        return self.connection.execute(statement).scalar()

    def on_commit(self, then: Callable[[], None]) -> None:
        """Call `then` in the writer's thread once this is committed; not if it is rolled back."""
        self.after_commit.append(then)
