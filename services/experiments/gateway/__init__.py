"""The process `experiments`: MLflow's server behind a gate that lets in what was judged.

A request's way: `gate` (path, route, credential, workspace) -> `access` (asks the platform who
it is and what they may) -> `judging` (what its body may say, and who says it) -> MLflow.
Only `mlflow_wiring` knows names that MLflow calls private. Nothing here loads a model.
"""
