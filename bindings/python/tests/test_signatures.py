"""What the core takes as data, the signatures name: the core says which names it knows when it is given another."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sealwright as sw
from sealwright import InvalidInput

from conftest import World

Call = Callable[..., Any]


def known_to_the_core(call: Call, *arguments: Any, **more: Any) -> set[str]:
    with pytest.raises(InvalidInput, match="unknown field `nonsense`") as unknown:
        call(*arguments, **more, nonsense=1)
    names = re.findall("`([A-Za-z]+)`", str(unknown.value).split("expected", 1)[1])
    assert names, unknown.value
    return {re.sub("([A-Z])", lambda capital: "_" + capital[1].lower(), name) for name in names}


def named(call: Call) -> set[str]:
    return {p.name for p in inspect.signature(call).parameters.values() if p.kind == p.KEYWORD_ONLY}


def test_a_signature_names_each_thing_that_can_be_demanded_or_said(world: World, tmp_path: Path) -> None:
    ledger, key = world.ledger, world.keys["records"]
    record = next(ledger.iterate()).verified
    calls: list[tuple[Call, tuple[Any, ...], dict[str, Any], set[str]]] = [
        (sw.verify, (b"",), {"trust": {}}, {"trust"}),
        (sw.Verifier({}).verify, (b"",), {}, set()),
        (sw.pack.verify, (tmp_path,), {}, set()),
        (sw.pack.build, (ledger, key, tmp_path), {}, {"now"}),
        (sw.layout.verify, (b"", [], {}), {}, set()),
        (sw.provenance.check, (record,), {}, set()),
        (sw.provenance.check_summary, (record,), {}, set()),
        (sw.ci.plain_machine, ("https://example.org", {}), {}, {"now"}),
        (sw.sbom.generate, (tmp_path,), {}, set()),
        (sw.sbom.generate_image, (tmp_path,), {}, set()),
        (sw.sbom.query, (b"",), {}, set()),
        (sw.sbom.licenses, (b"",), {}, set()),
        (sw.decide, (ledger, key), {}, {"now"}),
        (sw.deploy, (ledger, key), {}, {"now", "promotion"}),
        (ledger.prove(0).check, (b"",), {}, set()),
        (ledger.search, (), {}, set()),
        (ledger.iterate, (), {}, set()),
    ]
    for call, arguments, more, own in calls:
        assert named(call) == known_to_the_core(call, *arguments, **more) | own, call
    # the same of a build in a CI system, which it would have to stand in
    assert named(sw.ci.provenance) == named(sw.ci.plain_machine) | {"environment", "systems"}
    # (of signers and registries the core quotes nothing, for there are secrets among it)
    # a blob is of no predicate type
    blob = sw.Verifier({}).verify_blob
    assert named(blob) == known_to_the_core(blob, b"", b"") - {"predicate_type"}
