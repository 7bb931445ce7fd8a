"""Objects, free space and what is kept how long: the names that other nouns use.

store = context.get(ObjectStore)
await store.put_bytes(f"logs/{workload_id}/{attempt}/{offset:016d}", data, vital=True)
await store.put(f"outputs/{workload_id}/{attempt}/{n}", pieces, most=limit, vital=True)
await answer_with_object(call, key, "metrics.json", media_type="application/json")
context.get(Disk).low        # low-disk mode: admit nothing; "disk" is woken when it changes
context.get(Disk).require()  # refuse an upload with StorageFull (507)
context.get(Retention).register("logs", clean_logs)
"""

from services.storage.disk import Disk
from services.storage.downloads import answer_with_object, attachment_headers
from services.storage.objects import ObjectStore, Stat, Stored
from services.storage.parts import loops, provide
from services.storage.retention import Retention
from services.storage.rows import cleaner

__all__ = [
    "Disk",
    "ObjectStore",
    "Retention",
    "Stat",
    "Stored",
    "answer_with_object",
    "attachment_headers",
    "cleaner",
    "loops",
    "provide",
]
