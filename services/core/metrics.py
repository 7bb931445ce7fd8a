"""Prometheus metrics of the platform process. Names and labels stand in docs/reference."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_FAST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

REQUESTS = Histogram(
    "smalti_http_request_seconds",
    "Time to answer, by method, route and status.",
    ["method", "route", "status"],
    buckets=_FAST,
)
LOOP_LAG = Histogram(
    "smalti_event_loop_lag_seconds",
    "How much later than asked the event loop came back.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1),
)
LOOP_FAILURES = Counter(
    "smalti_loop_failures_total", "Turns of a background loop that failed.", ["loop"]
)
WORKLOADS = Gauge("smalti_workloads", "Workloads that are not finished, by status.", ["status"])
WORKLOADS_FINISHED = Counter(
    "smalti_workloads_finished_total", "Workloads that finished, by final status.", ["status"]
)
QUEUE_SECONDS = Histogram(
    "smalti_queue_seconds",
    "Time from acceptance to admission.",
    buckets=(*_FAST, 60, 300, 1800, 7200),
)
LOG_BYTES = Counter("smalti_log_bytes_total", "Bytes of run logs stored.")
AUTH_FAILURES = Counter("smalti_auth_failures_total", "Credentials that were refused.", ["kind"])
FREE_DISK = Gauge("smalti_free_disk_bytes", "Free space where the platform keeps its state.")
