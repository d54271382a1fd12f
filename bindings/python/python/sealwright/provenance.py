"""Builds and verification summaries: what is demanded of them, and written from what was checked."""

from ._sealwright import Checked as Checked
from ._sealwright import Reproduction as Reproduction
from ._sealwright import provenance_build as build
from ._sealwright import provenance_check as check
from ._sealwright import provenance_check_summary as check_summary
from ._sealwright import provenance_isolated as isolated
from ._sealwright import provenance_reproduced as reproduced

__all__ = ["Checked", "Reproduction", "build", "check", "check_summary", "isolated", "reproduced"]
