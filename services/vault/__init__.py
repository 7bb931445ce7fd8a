"""The vault: values sealed under data keys, data keys under a master key that lies elsewhere.

vault = context.get(Vault)
sealed = await vault.seal(Owner("person", person_id, "API_KEY"), value)   # before the transaction
keep(tx, sealed)                                                         # within it
rows = sealed_of(tx, "person", [person_id])                              # in a reading transaction
values = await vault.open_all(rows)                                      # after it
"""

from services.vault.errors import Damaged, KeysAway, VaultAway, WrongKey
from services.vault.sealing import Owner, Sealed
from services.vault.store import forget, keep, replace, sealed_of, sealed_one
from services.vault.vault import Vault
from services.vault.wiring import LOOPS, keeper, prepare, provide

__all__ = [
    "LOOPS",
    "Damaged",
    "KeysAway",
    "Owner",
    "Sealed",
    "Vault",
    "VaultAway",
    "WrongKey",
    "forget",
    "keep",
    "keeper",
    "prepare",
    "provide",
    "replace",
    "sealed_of",
    "sealed_one",
]
