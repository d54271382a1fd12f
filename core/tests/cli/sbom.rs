//! `sbom` beside `generate`: each answer for people and for programs.

use serde_json::json;

use crate::place::Place;

const SPDX: &str = "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\nDocumentName: shop\n\
    DocumentNamespace: https://shop.example/1\nCreator: Tool: x\nCreated: 2026-11-21T09:30:00Z\n\
    PackageName: leftpad\nSPDXID: SPDXRef-a\nPackageVersion: 1.0.0\nPackageDownloadLocation: NOASSERTION\nFilesAnalyzed: false\n\
    PackageLicenseDeclared: MIT\nRelationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-a\n";

fn bom(version: &str, license: &str) -> String {
    let purl = format!("pkg:npm/leftpad@{version}");
    json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": { "timestamp": "2026-11-21T09:30:00Z" },
        "components": [{ "type": "library", "bom-ref": purl, "name": "leftpad", "version": version, "purl": purl, "tags": ["x"],
            "licenses": [{ "license": { "id": license } }] }] })
    .to_string()
}

/// A place with two SBOMs of CycloneDX and one of SPDX.
fn place() -> Place {
    let place = Place::new();
    place.write("a.json", bom("1.0.0", "MIT"));
    place.write("b.json", bom("1.1.0", "GPL-3.0-only"));
    place.write("c.spdx", SPDX);
    let products = json!([{ "@id": "pkg:npm/a@1" }]);
    let vex = json!({ "@context": "https://openvex.dev/ns/v0.2.0", "statements": [
        { "vulnerability": { "name": "CVE-1" }, "products": products, "status": "not_affected",
            "justification": "component_not_present" },
        { "vulnerability": { "name": "CVE-2" }, "products": products, "status": "affected", "action_statement": "update" }] });
    place.write("vex.json", vex.to_string());
    place
}

#[test]
fn each_sbom_command_answers_within_80_columns_and_as_json() {
    let place = place();
    for (line, code, shown) in [
        ("sbom validate a.json", 0, "valid CycloneDX JSON 1.6"),
        ("sbom validate c.spdx", 0, "valid SPDX tag-value 2.3"),
        ("sbom diff a.json b.json", 0, "pkg:npm/leftpad 1.0.0 -> 1.1.0"),
        ("sbom diff a.json a.json", 0, "no difference"),
        ("sbom score a.json", 1, "leftpad lacks: supplier, hash"),
        ("sbom query a.json --purl pkg:npm/leftpad", 0, "leftpad 1.0.0, pkg:npm/leftpad@1.0.0"),
        ("sbom query a.json --name leftpad --range >=2", 0, "nothing found"),
        ("sbom licenses a.json --deny GPL-3.0-only", 0, "all licences are allowed"),
        ("sbom licenses b.json --deny GPL-3.0-only", 1, "`GPL-3.0-only` is denied"),
        ("sbom convert a.json --to spdx --out a.spdx.json", 0, "/components/0/tags: SPDX 2.3 has no place for it"),
        ("sbom vex CVE-1 vex.json --product pkg:npm/a@1", 0, "not affected: component_not_present"),
        ("sbom vex CVE-2 vex.json --product pkg:npm/a@1", 1, "affected"),
        ("sbom vex CVE-3 vex.json --product pkg:npm/a@1", 1, "nothing is said of it"),
        ("sbom merge a.json b.json --name suite --out all.json", 0, "CycloneDX JSON 1.6: 2 components"),
    ] {
        let ran = place.run(line);
        assert_eq!(ran.code, code, "{line}: {}{}", ran.out, ran.err);
        assert!(ran.out.contains(shown), "{line}: {}", ran.out);
        assert!(ran.out.lines().all(|l| l.chars().count() <= 80), "{line}: {}", ran.out);
    }
    for made in ["a.spdx.json", "all.json"] {
        assert_eq!(place.json(0, &format!("sbom validate {made}"))["valid"], true, "{made}");
    }
    assert_eq!(place.json(0, "sbom diff a.json b.json")["upgraded"][0]["after"], "1.1.0");
    assert_eq!(place.json(1, "sbom score a.json")["components"][0]["missing"][0], "supplier");
    assert_eq!(place.json(0, "sbom query a.json --license MIT")["found"][0]["name"], "leftpad");
    assert_eq!(place.json(1, "sbom licenses b.json --deny GPL-3.0-only")["faults"][0]["license"], "GPL-3.0-only");
    for out in ["", " --out again.json"] {
        let lost = place.json(0, &format!("sbom convert a.json --to spdx{out}"));
        assert_eq!(lost["lost"][0]["path"], "/components/0/tags", "{lost}");
    }
}

#[test]
fn what_can_not_be_done_with_an_sbom_is_an_error() {
    let place = place();
    for (line, code) in [
        ("sbom convert c.spdx --to cyclonedx --out c.json", None),
        ("sbom convert a.json --to cyclonedx", Some("UNSUPPORTED")),
        ("sbom convert a.json --to pdf", Some("API_MISUSE")),
        ("sbom merge a.json c.spdx --name x", Some("UNSUPPORTED")),
        ("sbom query a.json", Some("API_MISUSE")),
        ("sbom query a.json --range ^1", Some("MALFORMED")),
        ("sbom licenses a.json", Some("API_MISUSE")),
        ("sbom score gone.json", Some("NOT_FOUND")),
    ] {
        match code {
            None => drop(place.pass(line)),
            Some(code) => assert_eq!(place.json(2, line)["error"]["code"], code, "{line}"),
        }
    }
}

#[test]
fn the_commands_of_the_sbom_guide_run() {
    let place = Place::new();
    place.write("Cargo.toml", "[package]\nname = \"app\"\nversion = \"1.0.0\"\nlicense = \"MIT\"\n");
    place.write("Cargo.lock", "version = 4\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\n");
    let vex = json!({ "@context": "https://openvex.dev/ns/v0.2.0", "statements": [{ "vulnerability": { "name": "CVE-2026-1" },
        "status": "fixed", "products": [{ "@id": "pkg:npm/leftpad@1.0.1" }] }] });
    place.write("vex.json", vex.to_string());
    place.write(
        "app.tar",
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/images/layout.tar.gz")).unwrap(),
    );
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/sbom.md")).unwrap();
    let script: String = guide.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let mut ran = 0;
    for line in script.lines().filter_map(|line| line.strip_prefix("sealwright ")) {
        place.pass(&line.replace('"', ""));
        ran += 1;
    }
    assert!(ran >= 8, "{script}");
}
