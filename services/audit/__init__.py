"""Views of the audit trail. Nouns write it by `core.audit.record`, in their own transactions."""

from services.audit.spool import loops

__all__ = ["loops"]
