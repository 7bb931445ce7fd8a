"""Reads a live session's folder and turns what changed into git objects.

A program of its own (`program`), started by the agent once per session, confined to that one
folder and to the person's rights: what it reads is hostile, and what it says is believed of
that folder only. Standard library only; it must never need a network, write a file, or run
anything of the person's.
"""
