"""Secrets of persons and projects: written once, read by nobody but the runs that use them.

The names below are what other nouns may use: workloads ask what a run is to be given.
"""

from services.secrets.deliveries import any_for, chosen, note_uses
from services.secrets.rules import SCOPE_OF_PERSON, SCOPE_OF_PROJECT, Chosen
from services.secrets.wiring import provide

__all__ = [
    "SCOPE_OF_PERSON",
    "SCOPE_OF_PROJECT",
    "Chosen",
    "any_for",
    "chosen",
    "note_uses",
    "provide",
]
