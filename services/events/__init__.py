"""The event stream to people and programs. Nouns tell what happens by `core.events.publish`."""

from services.events.feed import loops, provide

__all__ = ["loops", "provide"]
