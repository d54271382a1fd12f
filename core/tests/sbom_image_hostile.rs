//! Container images that are broken, cut, or made to do harm: refused, each with its code, and in bounds.

#![expect(clippy::indexing_slicing, clippy::disallowed_methods, reason = "helpers of tests")]

mod built;

use std::io::Write as _;

use proptest::prelude::*;
use sealwright::sbom::{self, ImageOptions};
use serde_json::json;

use self::built::*;

/// The code for an image of this one layer, which follows one of Alpine.
fn code_above(layer: Tar) -> &'static str {
    code_of(&[alpine(), layer.end()])
}

#[test]
fn a_blob_that_is_not_what_the_image_names_is_refused() {
    let layers = [alpine()];
    let damaged = |what: &dyn Fn(&Layout, &serde_json::Value) -> std::path::PathBuf, change: &dyn Fn(&mut Vec<u8>)| {
        let mut layout = Layout::new();
        let image = layout.image(&layers, Packing::Gzip, "amd64");
        let path = what(&layout, &image);
        layout.list(image);
        let mut bytes = std::fs::read(&path).unwrap();
        change(&mut bytes);
        std::fs::write(path, bytes).unwrap();
        refusal(layout.path()).code()
    };
    let manifest = |layout: &Layout, image: &serde_json::Value| layout.place(image);
    let part = |layout: &Layout, image: &serde_json::Value, pointer: &str| {
        let manifest = std::fs::read(layout.place(image)).unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        layout.place(manifest.pointer(pointer).unwrap())
    };
    let config = |layout: &Layout, image: &serde_json::Value| part(layout, image, "/config");
    let layer = |layout: &Layout, image: &serde_json::Value| part(layout, image, "/layers/0");
    let flip = |bytes: &mut Vec<u8>| {
        let last = bytes.len() - 20;
        bytes[last] ^= 1;
    };
    for what in [&manifest as &dyn Fn(&Layout, &serde_json::Value) -> std::path::PathBuf, &config, &layer] {
        assert_eq!(damaged(what, &flip), "DIGEST_MISMATCH");
        assert_eq!(damaged(what, &|bytes| bytes.truncate(bytes.len() - 1)), "DIGEST_MISMATCH");
        assert_eq!(damaged(what, &|bytes| bytes.push(b'\n')), "DIGEST_MISMATCH");
    }
}

#[test]
fn a_layer_whose_content_is_not_that_of_the_config_is_refused() {
    let mut layout = Layout::new();
    let blob = layout.blob("application/vnd.oci.image.layer.v1.tar+gzip", &gzip(&alpine()));
    let image = layout.manifest(std::slice::from_ref(&blob), &config(&[Tar::default().end()], "amd64"));
    layout.list(image);
    assert_eq!(refusal(layout.path()).code(), "DIGEST_MISMATCH");
    let mut layout = Layout::new();
    let blob = layout.blob("application/vnd.oci.image.layer.v1.tar+gzip", &gzip(&alpine()));
    let image = layout.manifest(&[blob], &config(&[alpine(), alpine()], "amd64"));
    layout.list(image);
    assert_eq!(refusal(layout.path()).code(), "MALFORMED", "more digests than layers");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("saved.tar");
    let mut saved = docker_save(&[alpine()], &["app:1"]);
    let at = saved.windows(4).position(|w| w == b"musl").unwrap();
    saved[at] = b'M';
    std::fs::write(&path, saved).unwrap();
    assert_eq!(refusal(&path).code(), "DIGEST_MISMATCH");
}

#[test]
fn a_layer_that_is_cut_is_never_part_of_a_bom() {
    let whole = alpine();
    // cut before it was hashed, so that every digest is right
    let mut cuts: Vec<usize> = (0..whole.len()).step_by(256).collect();
    cuts.push(whole.len() - 1024);
    for cut in cuts.into_iter().filter(|cut| *cut <= whole.len() - 1024) {
        assert_eq!(code_of(&[whole[..cut].to_vec()]), "MALFORMED", "{cut}");
    }
    for (packed, end) in [(gzip(&whole), "gzip"), (zstd(&whole), "zstd")] {
        for cut in [packed.len() - 1, packed.len() - 9, packed.len() / 2, 11] {
            let mut layout = Layout::new();
            let blob = layout.blob(&format!("application/vnd.oci.image.layer.v1.tar+{end}"), &packed[..cut]);
            let image = layout.manifest(&[blob], &config(std::slice::from_ref(&whole), "amd64"));
            layout.list(image);
            assert_eq!(refusal(layout.path()).code(), "MALFORMED", "{end} {cut}");
        }
        let mut layout = Layout::new();
        let blob =
            layout.blob(&format!("application/vnd.oci.image.layer.v1.tar+{end}"), &[&packed[..], b"more"].concat());
        let image = layout.manifest(&[blob], &config(std::slice::from_ref(&whole), "amd64"));
        layout.list(image);
        assert_eq!(refusal(layout.path()).code(), "MALFORMED", "{end} with more after it");
    }
}

#[test]
fn a_tarball_that_is_cut_or_none_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("image.tar");
    let whole = Layout::of(&[alpine()]).tarball();
    let code = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        refusal(&path).code()
    };
    for cut in (512..whole.len() - 1024).step_by(512) {
        assert_eq!(code(&whole[..cut]), "MALFORMED", "{cut}");
    }
    assert_eq!(code(&gzip(&whole)[..500]), "MALFORMED");
    for garbage in [&b""[..], b"no tar at all", &[0; 1024], &[1; 4096]] {
        assert_eq!(code(garbage), "MALFORMED");
    }
    assert_eq!(refusal(&dir.path().join("nothing")).code(), "NOT_FOUND");
    assert_eq!(refusal(dir.path()).code(), "MALFORMED", "a folder with no image in it");
    let twice = Tar::default().file("manifest.json", "[]").file("manifest.json", "[]").end();
    assert_eq!(code(&twice), "MALFORMED");
    assert_eq!(code(&Tar::default().file("manifest.json", "[]").end()), "NOT_FOUND");
    let round = Tar::default().link("manifest.json", "a").link("a", "manifest.json").end();
    assert_eq!(code(&round), "MALFORMED");
    assert_eq!(code(&Tar::default().link("manifest.json", "../../etc/passwd").end()), "MALFORMED");
}

#[test]
fn no_path_or_link_leads_out_of_the_image() {
    assert_eq!(code_above(Tar::default().file("../etc/x", "")), "MALFORMED");
    assert_eq!(code_above(Tar::default().file("a/../../x", "")), "MALFORMED");
    assert_eq!(code_above(Tar::default().hard_link("x", "../../etc/passwd")), "MALFORMED");
    assert_eq!(code_above(Tar::default().link("a", "b").link("b", "a").file("a/x", "")), "MALFORMED");
    assert_eq!(code_above(Tar::default().file("a/.wh...", "")), "MALFORMED");
    assert_eq!(code_above(Tar::default().file("a/.wh.", "")), "MALFORMED");
    assert_eq!(code_above(Tar::default().file("a/.wh.b/c", "")), "MALFORMED");
    assert_eq!(code_above(Tar::default().file("a", "").file("a/b", "")), "MALFORMED");
    assert_eq!(code_above(Tar::default().file("", "")), "MALFORMED");
    // links that climb end at the root of the image, which has no such file
    let secret = tempfile::tempdir().unwrap();
    std::fs::write(secret.path().join("db"), APK).unwrap();
    let climbing = format!("{}{}/db", "../".repeat(30), secret.path().display());
    let layer = Tar::default().file("etc/os-release", ALPINE).link("lib/apk/db/installed", &climbing).end();
    assert_eq!(code_of(&[layer]), "UNSUPPORTED", "as if nothing were there");
    // names in documents of a folder are no paths of the machine
    let dir = tempfile::tempdir().unwrap();
    let manifest = json!([{ "Config": format!("../{}.json", "0".repeat(64)), "Layers": [] }]);
    std::fs::write(dir.path().join("manifest.json"), manifest.to_string()).unwrap();
    assert_eq!(refusal(dir.path()).code(), "MALFORMED");
}

#[test]
fn what_packages_cannot_be_told_of_is_refused() {
    for database in [
        "var/lib/rpm/Packages",
        "usr/lib/sysimage/rpm/Packages.db",
        "usr/share/rpm/Packages",
        "var/lib/pacman/local/x/desc",
    ] {
        assert_eq!(code_above(Tar::default().file(database, "x")), "UNSUPPORTED", "{database}");
    }
    let linked = Tar::default().file("usr/lib/sysimage/rpm/Packages", "x").link("var/lib/rpm", "/usr/lib/sysimage/rpm");
    assert_eq!(code_above(linked), "UNSUPPORTED");
    assert_eq!(code_of(&[Tar::default().file("app", "ELF").end()]), "UNSUPPORTED", "nothing that is read");
    assert_eq!(code_of(&[Tar::default().file("lib/apk/db/installed", APK).end()]), "UNSUPPORTED", "no os-release");
    assert_eq!(code_above(Tar::default().entry(b'S', "lib/apk/db/installed", "", b"")), "UNSUPPORTED", "a sparse file");
    assert_eq!(code_above(Tar::default().entry(b'3', "lib/apk/db/installed", "", b"")), "UNSUPPORTED", "a device");
    assert_eq!(code_above(Tar::default().entry(b'Z', "x", "", b"")), "UNSUPPORTED", "a kind that no image has");
    let mut layout = Layout::new();
    let mut of = config(&[alpine()], "amd64");
    of["os"] = "windows".into();
    let blob = layout.blob("application/vnd.oci.image.layer.v1.tar+gzip", &gzip(&alpine()));
    let image = layout.manifest(&[blob], &of);
    layout.list(image);
    assert_eq!(refusal(layout.path()).code(), "UNSUPPORTED");
    let mut layout = Layout::new();
    let blob = layout.blob("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", &gzip(&alpine()));
    let image = layout.manifest(&[blob], &config(&[alpine()], "amd64"));
    layout.list(image);
    assert_eq!(refusal(layout.path()).code(), "UNSUPPORTED");
    layout.write("oci-layout", br#"{"imageLayoutVersion":"2.0.0"}"#);
    assert_eq!(refusal(layout.path()).code(), "UNSUPPORTED");
    std::fs::remove_file(layout.path().join("oci-layout")).unwrap();
    assert_eq!(refusal(layout.path()).code(), "MALFORMED");
}

#[test]
fn a_missing_layer_is_no_empty_one() {
    let mut layout = Layout::new();
    let image = layout.image(&[alpine(), Tar::default().file("x", "").end()], Packing::Plain, "amd64");
    let manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(layout.place(&image)).unwrap()).unwrap();
    std::fs::remove_file(layout.place(&manifest["layers"][1])).unwrap();
    layout.list(image);
    assert_eq!(refusal(layout.path()).code(), "NOT_FOUND");
}

#[test]
fn a_database_that_cannot_be_read_is_refused() {
    let with = |path: &str, content: &[u8]| code_above(Tar::default().file(path, content));
    for status in [
        "Package: a\nVersion: 1\n",
        "Package: a\nArchitecture: all\n",
        "Version: 1\nArchitecture: all\n",
        "Package: a b\nVersion: 1\nArchitecture: all\n",
        "Package: a\nVersion: 1/2\nArchitecture: all\n",
        "Package: a\nVersion: 1\nArchitecture: all\nStatus: install ok melted\n",
        "Package: a\nPackage: b\nVersion: 1\nArchitecture: all\n",
        "Package: a\nVersion: 1\nArchitecture: all\n\nPackage: a\nVersion: 2\nArchitecture: all\n",
        " goes on\n",
        "no field\n",
        "<<<<<<< HEAD\n",
    ] {
        assert_eq!(with("var/lib/dpkg/status", status.as_bytes()), "MALFORMED", "{status}");
    }
    for installed in ["P:a\n", "V:1\n", "P:a\nV:1 2\n", "P:a\nP:b\nV:1\n", "nothing\n", "P:a\nV:1\n\nP:a\nV:2\n"] {
        assert_eq!(with("lib/apk/db/installed", installed.as_bytes()), "MALFORMED", "{installed}");
    }
    assert_eq!(with("lib/apk/db/installed", b"P:\xff\nV:1\n"), "MALFORMED");
    assert_eq!(with("etc/os-release", b"ID=\"a b\"\n"), "MALFORMED");
    for json in ["", "{", "[]", "{\"name\":\"a\"} x"] {
        assert_eq!(with("node_modules/a/package.json", json.as_bytes()), "MALFORMED", "{json}");
    }
    assert_eq!(with("x.dist-info/METADATA", b"Metadata-Version: 2.1\n"), "MALFORMED");
    assert_eq!(with("x-1.dist-info/METADATA", b"Name: a b\nVersion: 1\n"), "MALFORMED");
    assert_eq!(with("specifications/x.gemspec", b"s.name = 1\n"), "MALFORMED");
}

#[test]
fn archives_with_wrong_headers_are_refused() {
    let damaged = |at: usize, byte: u8| {
        let mut layer = alpine();
        layer[at] = byte;
        code_of(&[layer])
    };
    assert_eq!(damaged(0, b'x'), "MALFORMED", "the checksum is another");
    assert_eq!(damaged(124, b'9'), "MALFORMED", "no octal digit");
    let pax = |records: &str| {
        code_above(Tar::default().header(b'x', "p", "", records.len() as u64).content(records.as_bytes()).file("a", ""))
    };
    for records in ["x", "5 a=b\n", "99 path=b\n", "0 a=b\n", "8 path=b", "6 a b\n\n", "12 size=-10\n"] {
        assert_eq!(pax(records), "MALFORMED", "{records}");
    }
    let lone = [&alpine()[..alpine().len() - 1024], &[0; 512], &Tar::default().file("a", "").end()].concat();
    assert_eq!(code_of(&[lone]), "MALFORMED", "goes on after its end");
}

#[test]
fn bombs_end_in_bounds() {
    // a gigabyte of zeros
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&Tar::default().header(b'0', "zeros", "", 1 << 30).0).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..1 << 10 {
        encoder.write_all(&zeros).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    let begun = std::time::Instant::now();
    let mut layout = Layout::new();
    let blob = layout.blob("application/vnd.oci.image.layer.v1.tar+gzip", &bomb);
    let image = layout.manifest(&[blob], &config(&[alpine()], "amd64"));
    layout.list(image);
    assert_eq!(refusal(layout.path()).code(), "LIMIT_EXCEEDED");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bomb.tar.gz");
    std::fs::write(&path, &bomb).unwrap();
    assert_eq!(refusal(&path).code(), "LIMIT_EXCEEDED");
    // a frame of zstd that asks for a window of two gigabytes, and one that repeats a byte for ever
    let window = [&[0x28, 0xb5, 0x2f, 0xfd, 0, 0xa8][..], &[0; 64]].concat();
    let mut repeated = [&[0x28, 0xb5, 0x2f, 0xfd, 0, 0x38][..], &[]].concat();
    for _ in 0..20_000 {
        // a block of 128 KiB of one byte (RFC 8878, section 3.1.1.2)
        repeated.extend([0x02, 0x00, 0x10, 0]);
    }
    for bomb in [window, repeated] {
        let mut layout = Layout::new();
        let blob = layout.blob("application/vnd.oci.image.layer.v1.tar+zstd", &bomb);
        let image = layout.manifest(&[blob], &config(&[alpine()], "amd64"));
        layout.list(image);
        let code = refusal(layout.path()).code();
        assert!(matches!(code, "LIMIT_EXCEEDED" | "MALFORMED"), "{code}");
    }
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}

#[test]
fn paths_folders_and_headers_have_their_bounds() {
    assert_eq!(code_above(Tar::default().file(&"a/".repeat(300), "")), "LIMIT_EXCEEDED", "too deep");
    assert_eq!(code_above(Tar::default().file(&"a".repeat(5000), "")), "LIMIT_EXCEEDED", "too long");
    assert_eq!(code_above(Tar::default().link("l", &"a".repeat(5000))), "LIMIT_EXCEEDED");
    // links to links, by which a path gets as deep as one likes
    let mut layer = Tar::default();
    let deep = "d/".repeat(200);
    layer = layer.file(&format!("{deep}x"), "").link("l", &deep).file(&format!("l/{deep}y"), "");
    assert_eq!(code_above(layer), "LIMIT_EXCEEDED");
    // folders that no entry is of, and that take memory all the same
    let mut layer = Tar::default();
    for n in 0..4_200 {
        layer = layer.folder(&format!("{n}/{}", "d/".repeat(249)));
    }
    assert_eq!(code_above(layer), "LIMIT_EXCEEDED");
    let header = 2 * 1024 * 1024;
    assert_eq!(
        code_above(Tar::default().header(b'x', "p", "", header).content(&vec![b'1'; 2 * 1024 * 1024])),
        "LIMIT_EXCEEDED"
    );
    let huge = Tar::default().header(b'0', "lib/apk/db/installed", "", 130 << 20).content(&vec![b'\n'; 130 << 20]);
    assert_eq!(code_above(huge), "LIMIT_EXCEEDED", "a database that is longer than any");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// A layer with some bytes changed, whose digests are right: read or refused, and never a panic.
    #[test]
    fn changed_layers_are_read_or_refused(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6), cut in any::<Option<u16>>()) {
        let mut layer = Tar::default()
            .file("etc/os-release", DEBIAN)
            .file("var/lib/dpkg/status", "Package: a\nVersion: 1\nArchitecture: all\nDepends: b (>= 1) | c\n")
            .link("lib", "usr/lib")
            .file("lib/apk/db/installed", APK)
            .hard_link("lib/y", "lib/apk/db/installed")
            .file(&format!("{}/node_modules/x/package.json", "long-path".repeat(15)), r#"{"dependencies":{"y":"1"}}"#)
            .file("s/a-1.dist-info/METADATA", "Name: a\nVersion: 1\nRequires-Dist: b\n")
            .file("specifications/a-1.gemspec", "  s.name = \"a\"\n  s.version = \"1\"\n")
            .file("usr/.wh.lib", "")
            .end();
        for (place, byte) in changes {
            let place = place % layer.len();
            layer[place] = byte;
        }
        if let Some(cut) = cut {
            layer.truncate(usize::from(cut) % layer.len());
        }
        let layout = Layout::of(&[alpine(), layer]);
        match sbom::generate_image(layout.path(), &ImageOptions::default()) {
            Ok(bom) => assert_sound(&bom),
            Err(e) => prop_assert!(matches!(e.code(), "MALFORMED" | "UNSUPPORTED" | "LIMIT_EXCEEDED"), "{e:?}"),
        }
    }

    /// A tarball with some bytes changed.
    #[test]
    fn changed_tarballs_are_read_or_refused(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6), packed in any::<bool>()) {
        let layout = Layout::of(&[alpine()]);
        let mut bytes = if packed { gzip(&layout.tarball()) } else { layout.tarball() };
        for (place, byte) in changes {
            let place = place % bytes.len();
            bytes[place] = byte;
        }
        let path = layout.path().join("changed.tar");
        std::fs::write(&path, bytes).unwrap();
        match sbom::generate_image(&path, &ImageOptions::default()) {
            Ok(bom) => prop_assert_eq!(purls(&bom), ["pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.20.3"]),
            Err(e) => prop_assert!(
                matches!(e.code(), "MALFORMED" | "UNSUPPORTED" | "LIMIT_EXCEEDED" | "DIGEST_MISMATCH" | "NOT_FOUND" | "API_MISUSE"),
                "{e:?}"
            ),
        }
    }
}
