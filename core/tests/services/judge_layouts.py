"""The verdicts of in-toto's own tool: a folder for each case on stdin, one word for each on stdout.

A folder holds `layout`, `owner.json` (the owner's key) and `links/`. The word is `ok`, or the name of the error.
"""

import json
import logging
import sys
from pathlib import Path

from in_toto.models.metadata import Metadata
from in_toto.verifylib import in_toto_verify

# its warnings are no verdicts
logging.disable(logging.CRITICAL)


def verdict(folder):
    try:
        owner = json.loads((folder / "owner.json").read_text())
        in_toto_verify(Metadata.load(str(folder / "layout")), {owner["keyid"]: owner}, link_dir_path=str(folder / "links"))
    except Exception as error:
        return type(error).__name__
    return "ok"


for line in sys.stdin:
    print(verdict(Path(line.rstrip("\n"))), flush=True)
