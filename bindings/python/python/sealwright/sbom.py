"""Software bills of materials: made from lock files and container images, read, validated, converted, compared and asked."""

from ._sealwright import sbom_convert as convert
from ._sealwright import sbom_diff as diff
from ._sealwright import sbom_generate as generate
from ._sealwright import sbom_generate_image as generate_image
from ._sealwright import sbom_licenses as licenses
from ._sealwright import sbom_merge as merge
from ._sealwright import sbom_query as query
from ._sealwright import sbom_read as read
from ._sealwright import sbom_read_vex as read_vex
from ._sealwright import sbom_score as score
from ._sealwright import sbom_validate as validate
from ._sealwright import sbom_vex_status as vex_status

__all__ = [
    "convert",
    "diff",
    "generate",
    "generate_image",
    "licenses",
    "merge",
    "query",
    "read",
    "read_vex",
    "score",
    "validate",
    "vex_status",
]
