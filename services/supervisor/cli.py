"""The command `smalti-admin`: what the operator of one machine needs, and nothing else.

Called from a shell, by `make up` and by systemd. Every failure is one sentence on standard
error and an exit status other than 0; a trace is a bug of ours.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from services.supervisor import doctor, status
from services.supervisor.alone import become
from services.supervisor.detach import teller, up_detached
from services.supervisor.down import down
from services.supervisor.home import Home, SupervisorError, find_home
from services.supervisor.manifest import secret_manifest
from services.supervisor.passwords import reset_password
from services.supervisor.tokens import issue_token
from services.supervisor.up import run


def _up(home: Home, arguments: argparse.Namespace) -> int:
    if arguments.detach:
        return up_detached(home)
    run(home, teller(home, lambda text: print(text, flush=True)))
    return 0


def _down(home: Home, arguments: argparse.Namespace) -> int:
    print("Stopped." if down(home) else "Nothing was running.")
    return 0


def _status(home: Home, arguments: argparse.Namespace) -> int:
    seen = status.look(home)
    print(json.dumps(seen.as_json(), indent=1) if arguments.json else status.as_table(seen))
    return 0 if seen.state == "running" else 3


def _doctor(home: Home, arguments: argparse.Namespace) -> int:
    well = True
    for good, text in doctor.examine(home):
        print(f"{'ok  ' if good else 'BAD '} {text}")
        well = well and good
    return 0 if well else 1


def _token(home: Home, arguments: argparse.Namespace) -> int:
    print(issue_token(home, arguments.user, arguments.days * 24 * 3600))
    return 0


def _password(home: Home, arguments: argparse.Namespace) -> int:
    print(reset_password(home, arguments.user))
    return 0


def _alone(home: Home, arguments: argparse.Namespace) -> int:
    become(home, arguments.process)


def _preflight(home: Home, arguments: argparse.Namespace) -> int:
    # These bring libraries that no other command needs.
    from services.supervisor.preflight.command import run as examine

    return examine(arguments.namespace, arguments.values, lambda text: print(text, flush=True))


def _secrets(home: Home, arguments: argparse.Namespace) -> int:
    print(secret_manifest(arguments.name, arguments.namespace))
    return 0


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= 3650:
        raise argparse.ArgumentTypeError("from 1 to 3650 days")
    return days


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="smalti-admin",
        description="Start, look after and stop Smalti on this machine.",
        epilog="SMALTI_HOME names the state folder (default ~/.local/share/smalti), "
        "SMALTI_PORT the port of the front door (default 8000).",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(
        name: str, does: Callable[[Home, argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(does=does)
        return command

    up = add("up", _up, "start everything and stay until Ctrl-C")
    up.add_argument("--detach", action="store_true", help="return when all is ready")
    add("down", _down, "stop everything; what people run goes on")
    shown = add("status", _status, "show what runs (exit status 3 unless all of it does)")
    shown.add_argument("--json", action="store_true", help="for programs")
    add("doctor", _doctor, "examine the machine and the instance")
    token = add("token", _token, "print a new token for a person")
    token.add_argument("user", metavar="USER")
    token.add_argument("--days", type=_days, default=90, help="how long it lives (default 90)")
    alone = add("run", _alone, "become one process without a supervisor, as containers do")
    alone.add_argument("process", metavar="PROCESS")
    preflight = add("preflight", _preflight, "examine the cluster that KUBECONFIG names")
    preflight.add_argument("--namespace", default="smalti", help="of the release (default smalti)")
    preflight.add_argument(
        "--values", type=Path, action="append", default=[], metavar="FILE", help="as given to helm"
    )
    secrets = add("secrets", _secrets, "print a Kubernetes Secret with new secrets of Smalti's own")
    secrets.add_argument("--name", default="smalti-secrets", help="default smalti-secrets")
    secrets.add_argument("--namespace", default="smalti", help="default smalti")
    password = add("password", _password, "print a new one-time password for a person")
    password.add_argument("user", metavar="USER")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    parsed = _parser().parse_args(arguments)
    try:
        status_code: int = parsed.does(find_home(), parsed)
    except SupervisorError as error:
        print(error, file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 130
    return status_code


if __name__ == "__main__":
    sys.exit(main())
