"""Reports of tools, platforms and logs, as statements."""

from ._sealwright import Ingested
from ._sealwright import ingest_formats as formats
from ._sealwright import ingest_read as read
from ._sealwright import ingest_read_file as read_file

__all__ = ["Ingested", "formats", "read", "read_file"]
