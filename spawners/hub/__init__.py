"""The hub's spawner: a named server is a session of the platform.

Loaded into the hub's process by `hub_config/spawner.py`. It imports JupyterHub and an HTTP
client and knows of the platform only its address and a credential.
"""

from spawners.hub.spawner import SmaltiSpawner

__all__ = ["SmaltiSpawner"]
