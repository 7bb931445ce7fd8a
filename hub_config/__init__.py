"""How the hub is set up: one file per topic, each `configure(c, settings)`.

Read by JupyterHub through `jupyterhub_config.py`. Nothing of ours imports it, and it imports
nothing of `services`: it finds what it needs in the files below `SMALTI_HOME`.
"""
