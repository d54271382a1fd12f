"""The search for secrets and data of people."""

from ._sealwright import guard_text as text

__all__ = ["text"]
