"""Provenance from what a CI system says."""

from ._sealwright import ci_plain_machine as plain_machine
from ._sealwright import ci_provenance as provenance

__all__ = ["plain_machine", "provenance"]
