"""What a peer lists and ours does not, and why that is right: project, tool, column and item, as patterns, and why.

An item that is None stands for edges to another version of a package than that which ours says is needed there.
"""

BY_NAME = "it looks needs up by name, and takes each version in the file; the file names one"
ALIAS = "what an alias (`a@npm:b`) needs, taken for needs of a package beside it or of another version"
UNPINNED = "refused by us: `MarkupSafe>2.0.0` is no version, so the file does not tell what is installed"
INHERITS = "refused by us: the pom inherits from one that is not there, which tells versions and packages"

EXPLAINED = [
    ("sigstore-js|fedramp-web|cdxgen-pnpm5|bytemd|witness-docs", "syft", "edges", None, BY_NAME),
    ("sigstore-js", "syft", "purls|edges", r"pkg:npm/(@sigstore/|@types/)?[a-z-]+$",
     "each member of the workspace a second time, without a version: the link to it in node_modules"),
    ("witness-docs", "cdxgen", "edges", "^root ", "it has the product need every package; its package.json names 12"),
    ("witness-docs", "cdxgen", "edges", "^pkg:npm/(react-router-config|string-width@5|strip-ansi@7)", ALIAS),
    ("witness-docs", "syft", "edges", "^pkg:npm/(react-router-config|string-width@5)", ALIAS),
    ("poetry-702", "syft", "edges", "",
     "what extras would need that nothing asks for; the file has one that is asked for, uvicorn[standard]"),
    ("uv", "cdxgen", "edges", "schema-store@2026.8.8 -> pkg:pypi/fastjsonschema@2.22.1$",
     "of two versions of a package it took the one that uv.lock does not name there"),
    ("syft", "cdxgen", "purls|edges", r"pkg:golang/(retract@|v0)", "lines of the block `retract`, read as packages"),
    ("syft", "cdxgen", "licences", "go.opencensus.io@", "from a list of its own; go.mod and go.sum tell no licence"),
    ("syft", "cdxgen", "hashes", "", "the hash of each package's go.mod, not of the package"),
    ("junit-plugin", "cdxgen|syft", "purls|licences|edges", "", INHERITS),
    ("pip", "cdxgen|syft|cyclonedx-py", "purls", "", UNPINNED),
]  # fmt: skip
