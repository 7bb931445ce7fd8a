"""Jobs: programs that run to their end at a known commit, and what they leave."""

from services.jobs.actions import list_jobs, readable, start
from services.jobs.schemas import JobCreate, JobsQuery, JobView
from services.jobs.store import numbers
from services.jobs.wiring import provide

__all__ = [
    "JobCreate",
    "JobView",
    "JobsQuery",
    "list_jobs",
    "numbers",
    "provide",
    "readable",
    "start",
]
