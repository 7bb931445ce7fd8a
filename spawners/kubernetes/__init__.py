"""Runs as pods of a Kubernetes cluster, one batch/v1 Job for each run of a job.

Used by the agent of a plane that is a namespace of a cluster. `docs/explanation/kubernetes.md`
says how a pod is built and why.
"""
