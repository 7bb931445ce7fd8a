"""The supervisor: starts, watches and ends Smalti's own processes on one machine.

Called by people and scripts as `smalti-admin`. It never serves a request, never opens the
databases and never touches what people run: runs belong to the agent and its shims.
"""
