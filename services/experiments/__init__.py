"""Experiments and models: MLflow behind our gate, and what the platform tells of it.

`gateway` is the process in which MLflow runs; the other modules belong to the platform
process. The two speak `protocol` over the loopback address and import nothing else of each
other: the gateway has no access to the platform's database, nor the platform to MLflow's.
"""
