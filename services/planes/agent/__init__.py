"""The agent: the one process that serves a data plane.

Owns what happens between an order of the control plane and a program that runs: checkout,
environment, start, log, outputs, final report. Started as `python -m services.planes.agent`.
It only ever dials out. Must never touch the control plane's database or files: all that it
knows comes over `/api/v1/agent/...` (`services.planes.protocol`).
"""
