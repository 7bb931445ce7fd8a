"""Programs that run inside the pods of runs: standard library only, no import of ours but the shim.

`checkout` fetches the project, `start` stands over the person's program, `collector` hands over
what the run writes. Each is told what to do by its own part of the run's Secret, a file.
"""
