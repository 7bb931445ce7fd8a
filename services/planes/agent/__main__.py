"""Entry point of the agent: `python -m services.planes.agent [enrol URL]`.

Owns the command line, the signals and which runtime serves. SIGTERM and SIGINT end the agent and
leave the runs running; the next agent adopts them.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from services.planes.agent import journal, settings
from services.planes.agent.agent import VERSION, Agent
from services.planes.agent.client import Client
from services.planes.agent.enrol import EnrolmentFailure, enrol
from services.planes.agent.pods import pods_of
from spawners.kubernetes import access
from spawners.kubernetes.api import Api
from spawners.kubernetes.runtime import KubernetesRuntime
from spawners.process import ProcessRuntime, ProcessSettings
from spawners.runtime import RuntimeFailure

log = logging.getLogger("services.planes.agent")


def build_agent(found: settings.Settings, client: Client) -> Agent:
    """Make the agent with the runtime that this plane runs things with."""
    cluster = pods_of()
    if cluster is None:
        unit = os.environ.get("SMALTI_RUNS_UNIT", "")
        wanted_here = ProcessSettings(state=found.home / "runtime", runs_unit=unit)
        return Agent(found, client, ProcessRuntime(wanted_here))
    pods, wanted = cluster
    return Agent(found, client, KubernetesRuntime(wanted, Api(access.find())), pods)


async def serve(found: settings.Settings) -> None:
    """Run the agent until SIGTERM or SIGINT."""
    client = Client(settings.address, os.environ.get("SMALTI_AGENT_CA_FILE"))
    agent = build_agent(found, client)
    task = asyncio.create_task(agent.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        log.info("agent ended; its runs go on")


async def enrol_here(url: str, token: str, insecure: bool) -> None:
    """Enrol this machine's agent and say where its credential is."""
    origin = settings.checked_origin(url, insecure)
    named = os.environ.get("SMALTI_AGENT_CREDENTIAL_FILE")
    file = Path(named) if named else settings.agent_home() / "credential"
    answer = await enrol(origin, token, VERSION, file)
    sys.stdout.write(f"enrolled as agent of plane {answer.plane}; credential in {file}\n")


def main() -> int:
    """Read the command line and do what it says; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m services.planes.agent", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    enrolling = commands.add_parser("enrol", help="exchange an enrolment token for a credential")
    enrolling.add_argument("url", help="address of the control plane, https://...")
    enrolling.add_argument(
        "--token-file",
        type=argparse.FileType("r"),
        default=sys.stdin,
        help="file with the enrolment token; without it, standard input",
    )
    arguments = parser.parse_args()
    # Runs of other users must be able to read the caches that are shown to them; the agent's
    # home itself is closed, and files with tokens are made 0600 one by one.
    os.umask(0o022)
    try:
        if arguments.command == "enrol":
            token = arguments.token_file.readline().strip()
            insecure = os.environ.get("SMALTI_AGENT_INSECURE") == "1"
            asyncio.run(enrol_here(arguments.url, token, insecure))
            return 0
        journal.set_up()
        asyncio.run(serve(settings.load()))
    except RuntimeFailure as error:
        log.error("this machine cannot run anything", extra={"why": str(error)})
        return 1
    except (settings.SettingsError, EnrolmentFailure) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
