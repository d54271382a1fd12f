"""Signing by an identity token, timestamps, and fetching trusted roots. The calls that ask a service touch the network."""

from ._sealwright import RootArchive as RootArchive
from ._sealwright import RootSource as RootSource
from ._sealwright import Services as Services
from ._sealwright import Token as Token
from ._sealwright import keyless_sign_blob as sign_blob
from ._sealwright import keyless_sign_statement as sign_statement
from ._sealwright import keyless_timestamp as timestamp

__all__ = ["RootArchive", "RootSource", "Services", "Token", "sign_blob", "sign_statement", "timestamp"]
