"""What JupyterHub reads (`jupyterhub -f`): it calls the topics and has no rule of its own."""

from hub_config import database, extra, identity, pages, proxy, roles, services, spawner
from hub_config.settings import load_settings

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - JupyterHub puts it here
settings = load_settings()
for topic in (database, identity, pages, proxy, roles, services, spawner):
    topic.configure(c, settings)
extra.configure(c, settings)  # last: what the operator chose counts
