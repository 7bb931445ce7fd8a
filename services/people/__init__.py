"""People: persons, their platform roles and groups, and our own tokens.

The names below are what other nouns may use.
"""

from services.people.entry import enter, meet
from services.people.rules import PersonStatus, TokenKind
from services.people.schemas import PersonName, PersonView
from services.people.sources import acting, person_actor
from services.people.store import Person, by_name, find, first, name_of, named, retired
from services.people.token_actions import ProjectGate
from services.people.tokens import Token, consume_enrolment, issue_token, revoke_tokens

__all__ = [
    "Person",
    "PersonName",
    "PersonStatus",
    "PersonView",
    "ProjectGate",
    "Token",
    "TokenKind",
    "acting",
    "by_name",
    "consume_enrolment",
    "enter",
    "find",
    "first",
    "issue_token",
    "meet",
    "name_of",
    "named",
    "person_actor",
    "retired",
    "revoke_tokens",
]
