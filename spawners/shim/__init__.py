"""The small program that stands over every run of the process runtime.

Owns what happens on this side of `ProcessRuntime`: a warm *zygote* forks one *shim* per run;
the shim starts the run's program, keeps its log, limits and time, and leaves the truth in
files. Uses the standard library only and is started with `python -I -S`, so a module here must
never import anything that is installed, nor anything of `spawners` outside this package.
"""
