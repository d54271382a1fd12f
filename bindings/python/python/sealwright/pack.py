"""Evidence packs: everything a ledger holds about a release, in one folder that anybody can check."""

from ._sealwright import pack_build as build
from ._sealwright import pack_verify as verify

__all__ = ["build", "verify"]
