"""Bundles beside images, in their registry."""

from ._sealwright import Registry as Registry
from ._sealwright import oci_signed_image as signed_image

__all__ = ["Registry", "signed_image"]
