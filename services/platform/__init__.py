"""The platform process: API, git, console, reconcilers. Puts all nouns together.

Nothing imports this package but its own `__main__`, migrations and tests.
"""
