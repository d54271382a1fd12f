"""Software bills of materials: made from lock files, read, and validated (CycloneDX 1.6)."""

from ._sealwright import sbom_generate as generate
from ._sealwright import sbom_read as read
from ._sealwright import sbom_validate as validate

__all__ = ["generate", "read", "validate"]
