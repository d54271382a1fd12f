"""Signatures of Git commits and tags, and who wrote what."""

from ._sealwright import Authorship as Authorship
from ._sealwright import CommitTrust as CommitTrust
from ._sealwright import commit_verify as verify
from ._sealwright import commit_verify_tag as verify_tag

__all__ = ["Authorship", "CommitTrust", "verify", "verify_tag"]
