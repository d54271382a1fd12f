"""JUnit XML reports."""

from ._sealwright import junit_read as read

__all__ = ["read"]
