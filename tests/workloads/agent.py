"""An agent that runs nothing: it speaks the protocol over real HTTP and says what it is told."""

from __future__ import annotations

from typing import Any, Literal

from services.planes.protocol import (
    CapacityReport,
    Command,
    CommandsAnswer,
    Hello,
    HelloAnswer,
    Outcome,
    Phase,
    Reports,
    RunReport,
)
from tests.house import House


class ScriptedAgent:
    """Holds the commands it got and reports on them as the test says."""

    def __init__(self, house: House, cpu: float = 4.0, memory: int = 16 << 30) -> None:
        self.house = house
        self.token = house.agent_token
        self.isolation: Literal["full", "namespaces", "none"] = "full"
        self.capacity = CapacityReport(cpu=cpu, memory=memory)
        self.commands: dict[str, Command] = {}
        self.cursor = 0

    async def hello(self, *inventory: RunReport) -> HelloAnswer:
        """Connect, showing what it has."""
        greeting = Hello(
            version="1",
            instance="scripted",
            isolation=self.isolation,
            capacity=self.capacity,
            inventory=list(inventory),
        )
        response = await self._send("POST", "/agent/hello", greeting)
        answer = HelloAnswer.model_validate(response)
        self.cursor = answer.cursor
        self.commands = {command.workload_id: command for command in answer.commands}
        return answer

    async def poll(self, wait: float = 0.0) -> list[Command]:
        """Fetch commands and keep the newest for each workload."""
        path = f"/agent/commands?after={self.cursor}&wait={wait}"
        answer = CommandsAnswer.model_validate(await self._send("GET", path))
        self.cursor = answer.cursor
        for command in answer.commands:
            known = self.commands.get(command.workload_id)
            if known is None or command.generation >= known.generation:
                self.commands[command.workload_id] = command
        return answer.commands

    def report(self, workload_id: str, phase: Phase, **more: Any) -> RunReport:
        """Make a report on what it was last told of a workload."""
        command = self.commands[workload_id]
        return RunReport(
            workload_id=workload_id,
            generation=command.generation,
            attempt=more.pop("attempt", command.attempt),
            phase=phase,
            **more,
        )

    async def say(self, workload_id: str, phase: Phase, **more: Any) -> int:
        """Report one thing; tell whether it changed anything."""
        return await self.send(self.report(workload_id, phase, **more))

    async def send(self, *reports: RunReport) -> int:
        """Send reports; give how many changed something."""
        answer = await self._send("POST", "/agent/reports", Reports(reports=list(reports)))
        return int(answer["applied"])

    async def finish(self, workload_id: str, exit_code: int = 0, **more: Any) -> None:
        """Take a workload through all phases to its end."""
        await self.say(workload_id, Phase.PREPARING)
        await self.say(workload_id, Phase.RUNNING)
        outcome = Outcome.SUCCEEDED if exit_code == 0 else Outcome.FAILED
        more = {"outcome": outcome, "exit_code": exit_code, **more}
        await self.say(workload_id, Phase.FINISHED, **more)

    async def put_log(self, workload_id: str, offset: int, data: bytes, attempt: int = 1) -> Any:
        """Put a piece of a log."""
        path = f"/agent/runs/{workload_id}/{attempt}/log?offset={offset}"
        return await self.house.call("PUT", path, as_=self.token, content=data)

    async def put_output(self, workload_id: str, path: str, data: bytes, sha256: str = "") -> Any:
        """Put an output."""
        url = f"/agent/runs/{workload_id}/1/outputs/{path}"
        headers = {"X-Content-SHA256": sha256} if sha256 else {}
        return await self.house.call("PUT", url, as_=self.token, content=data, headers=headers)

    async def _send(self, method: str, path: str, body: Any = None) -> Any:
        content = None if body is None else body.model_dump_json()
        response = await self.house.call(method, path, as_=self.token, content=content)
        assert response.status_code == 200, response.text
        return response.json()
