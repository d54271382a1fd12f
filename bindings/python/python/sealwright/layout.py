"""Classic in-toto layouts."""

from ._sealwright import layout_verify as verify

__all__ = ["verify"]
