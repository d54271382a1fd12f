//! SBOMs of container images: what is in them, as their layers make it (systems rows 22, 25, 47).

#![expect(clippy::indexing_slicing, clippy::disallowed_methods, reason = "helpers of tests")]

mod built;
mod corpora;

use sealwright::sbom::{self, ComponentKind, ImageOptions};
use serde_json::json;

use self::built::*;
use self::corpora::corpora;

const STATUS: &str = "Package: libc6
Status: install ok installed
Architecture: amd64
Multi-Arch: same
Source: glibc
Version: 2.36-9+deb12u8
Depends: libgcc-s1
Provides: libc6-2.36 (= 2.36-9)
Description: GNU C Library
 more of it
 .
 and more

Package: libgcc-s1
Status: install ok installed
Architecture: amd64
Source: gcc-12 (12.2.0-14)
Version: 12.2.0-14+b1
Depends: gcc-12-base (= 12.2.0-14), libc6 (>= 2.35)

Package: mawk
Status: install ok installed
Architecture: amd64
Version: 1:1.3.4
Pre-Depends: libc6 (>= 2.99) | libc6-2.36 (>= 2.36), gone | missing
Provides: awk

Package: base
Status: install ok installed
Architecture: all
Version: 1
Depends: awk, old (>= 3) | mawk:any (<< 2:0)

Package: removed
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0
";

#[test]
fn packages_of_dpkg_are_told_with_distribution_source_licence_and_what_they_need() {
    let copyright = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: LGPL-2.1+\n text\n";
    let layer = Tar::default()
        .file("usr/lib/os-release", DEBIAN)
        .link("etc/os-release", "../usr/lib/os-release")
        .file("var/lib/dpkg/status", STATUS)
        .file("usr/share/doc/libc6/copyright", copyright)
        .link("usr/share/doc/libgcc-s1", "libc6")
        .file("usr/share/doc/mawk/copyright", "This is free software.\n");
    let bom = bom_of(&[layer.end()]);
    assert_eq!(
        purls(&bom),
        [
            "pkg:deb/debian/base@1?arch=all&distro=debian-12",
            "pkg:deb/debian/libc6@2.36-9%2Bdeb12u8?arch=amd64&distro=debian-12",
            "pkg:deb/debian/libgcc-s1@12.2.0-14%2Bb1?arch=amd64&distro=debian-12",
            "pkg:deb/debian/mawk@1:1.3.4?arch=amd64&distro=debian-12",
        ]
    );
    assert_eq!(needs(&bom, "libc6"), ["libgcc-s1"]);
    assert_eq!(needs(&bom, "libgcc-s1"), ["libc6"], "gcc-12-base is not there");
    assert_eq!(needs(&bom, "mawk"), ["libc6"], "the first alternative asks for a later version");
    assert_eq!(needs(&bom, "base"), ["mawk"], "by the name that it provides");
    assert_eq!(needs(&bom, "debian"), ["base", "libc6", "libgcc-s1", "mawk"]);
    assert_eq!(property(&bom, "libc6", "sealwright:source-package"), ["glibc 2.36-9+deb12u8"]);
    assert_eq!(property(&bom, "libgcc-s1", "sealwright:source-package"), ["gcc-12 12.2.0-14"]);
    assert_eq!(property(&bom, "mawk", "sealwright:path"), ["/var/lib/dpkg/status"]);
    let license = |name: &str| {
        let component = bom.components.iter().find(|c| c.name == name).unwrap();
        serde_json::to_string(&component.licenses).unwrap()
    };
    assert_eq!(license("libc6"), r#"[{"license":{"id":"LGPL-2.1-or-later"}}]"#);
    assert_eq!(license("libgcc-s1"), license("libc6"), "through the link of the folder");
    assert_eq!(license("mawk"), "[]", "what is written for people is not guessed from");
    let os = bom.components.iter().find(|c| c.kind == ComponentKind::OperatingSystem).unwrap();
    assert_eq!((os.name.as_str(), os.version.as_deref()), ("debian", Some("12")));
}

#[test]
fn distroless_images_have_a_file_for_each_package() {
    let stanza = |name: &str| format!("Package: {name}\nVersion: 1.0-1\nArchitecture: amd64\nDepends: tzdata\n");
    let layer = Tar::default()
        .file("etc/os-release", DEBIAN)
        .file("var/lib/dpkg/status.d/tzdata", stanza("tzdata"))
        .file("var/lib/dpkg/status.d/tzdata.md5sums", "00  usr/share/zoneinfo/UTC\n")
        .file("var/lib/dpkg/status.d/base-files", stanza("base-files"));
    let bom = bom_of(&[layer.end()]);
    assert_eq!(needs(&bom, "base-files"), ["tzdata"]);
    assert_eq!(property(&bom, "base-files", "sealwright:path"), ["/var/lib/dpkg/status.d/base-files"]);
    assert_eq!(needs(&bom, "debian").len(), 2);
}

#[test]
fn packages_of_apk_are_told_with_origin_licence_and_what_they_need() {
    let installed = "C:Q1abc=\nP:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\np:so:libc.musl-x86_64.so.1=1\nF:lib\nR:ld-musl\na:0:0:755\nZ:Q1x=\n\n\
        P:busybox\nV:1.36.1-r29\nA:x86_64\nL:GPL-2.0-only\no:busybox\nD:so:libc.musl-x86_64.so.1 !old\np:cmd:sh=1.36.1-r29 /bin/sh\n\n\
        P:ssl_client\nV:1.36.1-r29\nA:x86_64\nL:GPL-2.0-only\no:busybox\nD:busybox>=1.36 /bin/sh gone\n";
    let layer = Tar::default().file("etc/os-release", ALPINE).file("lib/apk/db/installed", installed);
    let bom = bom_of(&[layer.end()]);
    assert_eq!(
        purls(&bom),
        [
            "pkg:apk/alpine/busybox@1.36.1-r29?arch=x86_64&distro=alpine-3.20.3",
            "pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.20.3",
            "pkg:apk/alpine/ssl_client@1.36.1-r29?arch=x86_64&distro=alpine-3.20.3",
        ]
    );
    assert_eq!(needs(&bom, "busybox"), ["musl"]);
    assert_eq!(needs(&bom, "ssl_client"), ["busybox"]);
    assert_eq!(property(&bom, "ssl_client", "sealwright:source-package"), ["busybox 1.36.1-r29"]);
    let musl = bom.components.iter().find(|c| c.name == "musl").unwrap();
    assert_eq!(serde_json::to_string(&musl.licenses).unwrap(), r#"[{"license":{"id":"MIT"}}]"#);
}

#[test]
fn python_node_and_ruby_packages_are_found_where_they_are_installed() {
    let site = "usr/lib/python3/site-packages";
    let layer = Tar::default()
        .file(&format!("{site}/Flask_Thing-2.0.dist-info/METADATA"), "Metadata-Version: 2.1\nName: Flask.Thing\nVersion: 2.0\nLicense-Expression: MIT\nRequires-Dist: click (>=8)\nRequires-Dist: dotenv ; extra == 'x'\n\nName: no\n")
        .file(&format!("{site}/Flask_Thing-2.0.dist-info/RECORD"), "")
        .file(&format!("{site}/click-8.1.egg-info/PKG-INFO"), "Name: click\nVersion: 8.1\nLicense: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\n")
        .file(&format!("{site}/old-0.1-py3.11.egg-info"), "Metadata-Version: 1.0\nSummary: x\n")
        .file("app/node_modules/@corp/ui/package.json", r#"{"name":"@corp/ui","version":"1.0.0","license":"MIT","dependencies":{"left":"1","gone":"1"}}"#)
        .file("app/node_modules/@corp/ui/node_modules/left/package.json", r#"{"name":"left","version":"2.0.0"}"#)
        .file("app/node_modules/left/package.json", "\u{feff}{\"name\":\"left\",\"version\":\"1.0.0\",\"dependencies\":{\"@corp/ui\":\"*\"}}")
        .file("app/node_modules/left/dist/esm/package.json", r#"{"type":"module"}"#)
        .file("app/node_modules/.cache/package.json", "{")
        .file("app/package.json", r#"{"name":"app","version":"0.0.0"}"#)
        .file("usr/lib/ruby/specifications/rake-13.0.6.gemspec", "Gem::Specification.new do |s|\n  s.name = \"rake\".freeze\n  s.version = \"13.0.6\"\n  s.licenses = [\"MIT\".freeze]\n  s.add_runtime_dependency(%q<json>.freeze, [\">= 1\"])\n  s.add_development_dependency(%q<minitest>.freeze)\nend\n")
        .file("usr/lib/ruby/specifications/default/json-2.6.gemspec", "code = 1\n")
        .file("usr/lib/ruby/specifications/nokogiri-1.15.4-x86_64-linux.gemspec", "s.name = name()\n")
        .file("usr/lib/ruby/other/x-1.gemspec", "");
    let bom = bom_of(&[layer.end()]);
    assert_eq!(
        purls(&bom),
        [
            "pkg:gem/json@2.6",
            "pkg:gem/nokogiri@1.15.4?platform=x86_64-linux",
            "pkg:gem/rake@13.0.6",
            "pkg:npm/%40corp/ui@1.0.0",
            "pkg:npm/left@1.0.0",
            "pkg:npm/left@2.0.0",
            "pkg:pypi/click@8.1",
            "pkg:pypi/flask-thing@2.0",
            "pkg:pypi/old@0.1",
        ]
    );
    assert_eq!(needs(&bom, "Flask.Thing"), ["click"], "what an extra asks for is not told");
    let edges = |bom_ref: &str| &bom.dependencies.iter().find(|d| d.component == bom_ref).unwrap().depends_on;
    assert!(edges("pkg:npm/%40corp/ui@1.0.0").iter().eq(["pkg:npm/left@2.0.0"]), "the nearest one");
    assert_eq!(needs(&bom, "rake"), ["json"]);
    assert_eq!(property(&bom, "Flask.Thing", "sealwright:python-record"), ["present"]);
    assert_eq!(property(&bom, "click", "sealwright:python-record"), ["missing"]);
    let license =
        |name: &str| serde_json::to_string(&bom.components.iter().find(|c| c.name == name).unwrap().licenses).unwrap();
    assert_eq!(
        (license("click"), license("rake")),
        (license("Flask.Thing"), r#"[{"license":{"id":"MIT"}}]"#.to_owned())
    );
    let product = bom.metadata.component.bom_ref.as_deref().unwrap();
    let roots: Vec<_> = edges(product).iter().collect();
    assert_eq!(
        roots,
        [
            "pkg:gem/nokogiri@1.15.4?platform=x86_64-linux",
            "pkg:gem/rake@13.0.6",
            "pkg:npm/left@1.0.0",
            "pkg:pypi/flask-thing@2.0",
            "pkg:pypi/old@0.1"
        ],
        "each package is reached from the image"
    );
}

#[test]
fn what_a_later_layer_removed_or_replaced_is_not_in_the_bom() {
    let node = |name: &str| format!(r#"{{"name":"{name}","version":"1.0.0"}}"#);
    let at = |name: &str| format!("app/node_modules/{name}/package.json");
    let base = Tar::default()
        .file("etc/os-release", ALPINE)
        .file("lib/apk/db/installed", format!("{APK}\nP:curl\nV:8-r0\n"))
        .file(&at("kept"), node("kept"))
        .file(&at("removed"), node("removed"))
        .file(&at("replaced"), node("replaced"))
        .file("opt/a/node_modules/x/package.json", node("x"))
        .file("srv/node_modules/y/package.json", node("y"))
        .file("was/node_modules/z/package.json", node("z"));
    let later = Tar::default()
        .file("lib/apk/db/installed", APK)
        .file("app/node_modules/.wh.removed", "")
        .file("app/node_modules/.wh.never-there", "")
        .file(&at("replaced"), node("anew"))
        // an opaque folder hides what is below it and not what the layer has there, in either order
        .file("opt/a/node_modules/x2/package.json", node("x2"))
        .file("opt/a/.wh..wh..opq", "")
        .file("srv/.wh.node_modules", "")
        .file("srv/node_modules/y2/package.json", node("y2"))
        .file("was", "now a file");
    let bom = bom_of(&[base.clone().end(), later.end()]);
    assert_eq!(
        purls(&bom),
        [
            "pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.20.3",
            "pkg:npm/anew@1.0.0",
            "pkg:npm/kept@1.0.0",
            "pkg:npm/x2@1.0.0",
            "pkg:npm/y2@1.0.0",
        ]
    );
    // a whiteout hides nothing of its own layer
    let both = base.file("app/.wh.node_modules", "").end();
    assert!(purls(&bom_of(&[both])).contains(&"pkg:npm/removed@1.0.0"));
}

#[test]
fn folders_that_are_links_are_followed_within_the_image() {
    let merged = Tar::default()
        .folder("usr/lib/")
        .link("lib", "usr/lib")
        .link("./var", "/data/../data/state")
        .file("etc/os-release", DEBIAN)
        // each of these lies where the links lead
        .file("lib/apk/db/installed", APK)
        .file("data/state/lib/dpkg/real", "Package: a\nVersion: 1\nArchitecture: all\n")
        .link("data/state/lib/dpkg/status", "../../../../../../../data/state/lib/dpkg/real");
    let bom = bom_of(&[merged.clone().end()]);
    let both =
        ["pkg:apk/debian/musl@1.2.5-r0?arch=x86_64&distro=debian-12", "pkg:deb/debian/a@1?arch=all&distro=debian-12"];
    assert_eq!(purls(&bom), both, "once, and by the name that nothing was kept for");
    // a later layer writes through the link, and a whiteout removes through it
    let upgraded = Tar::default().file("lib/apk/db/installed", APK.replace("1.2.5", "1.2.6")).end();
    let bom = bom_of(&[merged.clone().end(), upgraded]);
    assert!(purls(&bom)[0].contains("musl@1.2.6"), "{:?}", purls(&bom));
    let removed = Tar::default().file("lib/apk/db/.wh.installed", "").end();
    assert_eq!(purls(&bom_of(&[merged.clone().end(), removed])), both[1..]);
    // a folder in the place of the link hides what it led to, as in a runtime
    let unmerged = Tar::default().folder("lib/").file("usr/lib/.wh.apk", "").end();
    assert_eq!(purls(&bom_of(&[merged.end(), unmerged])), both[1..]);
}

#[test]
fn a_hard_link_has_the_content_of_its_target() {
    let base = Tar::default().file("etc/os-release", ALPINE).file("cache/db", APK).end();
    let linked = Tar::default().hard_link("lib/apk/db/installed", "cache/db").file("cache/.wh.db", "").end();
    let bom = bom_of(&[base.clone(), linked]);
    assert_eq!(property(&bom, "musl", "sealwright:path"), ["/lib/apk/db/installed"]);
    let dangling = Tar::default().hard_link("lib/apk/db/installed", "nowhere").end();
    assert_eq!(code_of(&[base, dangling]), "MALFORMED");
}

#[test]
fn long_paths_are_read_in_the_formats_of_posix_and_gnu() {
    let deep = format!("{}/node_modules/deep/package.json", "a-long-folder/".repeat(20).trim_end_matches('/'));
    let posix = Tar::default().file(&deep, r#"{"name":"deep","version":"1.0.0"}"#).end();
    assert_eq!(purls(&bom_of(&[posix])), ["pkg:npm/deep@1.0.0"]);
    let gnu = Tar::default()
        .header(b'L', "././@LongLink", "", deep.len() as u64 + 1)
        .content(format!("{deep}\0").as_bytes())
        .header(b'0', "a-long-folder", "", 2)
        .content(b"{}")
        .end();
    assert_eq!(purls(&bom_of(&[gnu])), ["pkg:npm/deep"], "the folder names it");
    let global = Tar::default().header(b'g', "pax_global_header", "", 20).content(b"20 comment=whatever\n");
    assert_eq!(purls(&bom_of(&[global.file("n/node_modules/x/package.json", "{}").end()])), ["pkg:npm/x"]);
}

#[test]
fn an_archive_that_gnu_tar_writes_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let deep = format!("{}/node_modules/deep", "a-long-folder/".repeat(15).trim_end_matches('/'));
    std::fs::create_dir_all(root.join(&deep)).unwrap();
    std::fs::write(root.join(&deep).join("package.json"), r#"{"name":"deep","version":"1.0.0"}"#).unwrap();
    std::fs::create_dir_all(root.join("usr/lib/apk/db")).unwrap();
    std::fs::create_dir_all(root.join("etc")).unwrap();
    std::fs::write(root.join("etc/os-release"), ALPINE).unwrap();
    std::fs::write(root.join("usr/lib/apk/db/one"), APK).unwrap();
    std::fs::hard_link(root.join("usr/lib/apk/db/one"), root.join("usr/lib/apk/db/installed")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("usr/lib", root.join("lib")).unwrap();
    for format in ["gnu", "pax", "oldgnu"] {
        let made = std::process::Command::new("tar")
            .args([&format!("--format={format}"), "--sort=name", "-C"])
            .arg(&root)
            .args(["-cf", "-", "."])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        assert_eq!(
            purls(&bom_of(&[made.stdout])),
            ["pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.20.3", "pkg:npm/deep@1.0.0"],
            "{format}"
        );
    }
}

#[test]
fn the_same_image_gives_the_same_components_however_it_is_packed() {
    let layers = [alpine(), Tar::default().end(), Tar::default().file("x/node_modules/y/package.json", "{}").end()];
    let of = |packing| {
        let mut layout = Layout::new();
        let image = layout.image(&layers, packing, "amd64");
        layout.list(image);
        purls(&generate(layout.path())).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let plain = of(Packing::Plain);
    assert_eq!(plain.len(), 2);
    assert_eq!(of(Packing::Gzip), plain);
    assert_eq!(of(Packing::Zstd), plain);
    // several members of gzip, several frames of zstd, and one to pass over
    let (start, end) = layers[0].split_at(700);
    let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3][..], &zstd(start), &zstd(end)].concat();
    for (blob, end) in [([gzip(start), gzip(end)].concat(), "gzip"), (skipped, "zstd")] {
        let mut layout = Layout::new();
        let blob = layout.blob(&format!("application/vnd.oci.image.layer.v1.tar+{end}"), &blob);
        let image = layout.manifest(&[blob], &config(&layers[..1], "amd64"));
        layout.list(image);
        assert_eq!(purls(&generate(layout.path())), plain[..1]);
    }
}

#[test]
fn a_layout_gives_the_same_bytes_as_a_folder_and_as_a_tarball() {
    let mut options = ImageOptions::default();
    options.name = Some("app".to_owned());
    let layout = Layout::of(&[alpine(), Tar::default().file("x/node_modules/y/package.json", "{}").end()]);
    let bytes = |path: &std::path::Path| sbom::generate_image(path, &options).unwrap().to_json().unwrap();
    let expected = bytes(layout.path());
    assert_eq!(bytes(layout.path()), expected);
    let dir = tempfile::tempdir().unwrap();
    for (name, tarball) in
        [("a.tar", layout.tarball()), ("a.tar.gz", gzip(&layout.tarball())), ("a.tar.zst", zstd(&layout.tarball()))]
    {
        let path = dir.path().join(name);
        std::fs::write(&path, tarball).unwrap();
        assert_eq!(bytes(&path), expected, "{name}");
    }
    assert!(!String::from_utf8(expected).unwrap().contains("timestamp"));
}

#[test]
fn the_product_is_the_image_by_its_digest() {
    let mut layout = Layout::new();
    let mut image = layout.image(&[alpine()], Packing::Gzip, "arm64");
    let digest = image["digest"].as_str().unwrap().to_owned();
    image["annotations"] = json!({ "org.opencontainers.image.ref.name": "1.0",
        "io.containerd.image.name": "registry.example:5000/Team/app:1.0" });
    layout.list(image.clone());
    let bom = generate(layout.path());
    let product = &bom.metadata.component;
    assert_eq!((product.kind, product.name.as_str()), (ComponentKind::Container, "app"));
    assert_eq!(product.version.as_deref(), Some(&*digest));
    let expected = format!("pkg:oci/app@{digest}?arch=arm64&repository_url=registry.example:5000%2Fteam%2Fapp&tag=1.0");
    assert_eq!(product.purl.as_deref(), Some(&*expected));
    assert_eq!(product.hashes.first().unwrap().content, digest.trim_start_matches("sha256:"));
    let layer = &std::fs::read(layout.place(&image)).unwrap();
    let layer = serde_json::from_slice::<serde_json::Value>(layer).unwrap()["layers"][0]["digest"].clone();
    assert_eq!(property(&bom, "musl", "sealwright:layer"), [layer.as_str().unwrap()]);
    // without a reference the digest names it, and what is given wins
    let layout = Layout::of(&[alpine()]);
    assert!(generate(layout.path()).metadata.component.name.starts_with("sha256:"));
    let options: ImageOptions = serde_json::from_value(json!({ "name": "app", "version": "1.2", "bomRef": "it",
        "timestamp": "2026-11-21T09:30:00Z" }))
    .unwrap();
    let bom = sbom::generate_image(layout.path(), &options).unwrap();
    assert_sound(&bom);
    let product = bom.metadata.component;
    assert_eq!((product.version.as_deref(), product.bom_ref.as_deref()), (Some("1.2"), Some("it")));
    assert!(product.purl.unwrap().starts_with("pkg:oci/app@sha256:"));
    let options: ImageOptions = serde_json::from_value(json!({ "purl": "no purl" })).unwrap();
    assert_eq!(sbom::generate_image(layout.path(), &options).unwrap_err().code(), "MALFORMED");
}

#[test]
fn one_of_several_images_is_chosen_by_digest_tag_or_platform() {
    let mut layout = Layout::new();
    let package = |name: &str| vec![Tar::default().file(&format!("node_modules/{name}/package.json"), "{}").end()];
    let arm = layout.image(&package("arm"), Packing::Gzip, "arm64");
    let amd = layout.image(&package("amd"), Packing::Gzip, "amd64");
    let mut gone = layout.image(&package("gone"), Packing::Gzip, "s390x");
    std::fs::remove_file(layout.place(&gone)).unwrap();
    gone["platform"] = json!({ "os": "linux", "architecture": "s390x" });
    let mut attestation = layout.image(&package("no"), Packing::Gzip, "unknown");
    attestation["annotations"] = json!({ "vnd.docker.reference.type": "attestation-manifest" });
    let index = json!({ "schemaVersion": 2, "manifests": [arm, amd, gone, attestation] }).to_string();
    let mut index = layout.blob("application/vnd.oci.image.index.v1+json", index.as_bytes());
    index["annotations"] = json!({ "org.opencontainers.image.ref.name": "v1" });
    layout.list(index.clone());
    let mut other = layout.image(&package("other"), Packing::Gzip, "amd64");
    other["annotations"] = json!({ "io.containerd.image.name": "docker.io/library/other:v2" });
    layout.list(other);
    let chosen = |options: serde_json::Value| {
        let options: ImageOptions = serde_json::from_value(options).unwrap();
        sbom::generate_image(layout.path(), &options).map(|bom| bom.components[0].name.clone())
    };
    let name = |options| chosen(options).unwrap();
    assert_eq!(name(json!({ "platform": "linux/arm64" })), "arm");
    assert_eq!(name(json!({ "tag": "v1", "platform": "linux/amd64" })), "amd");
    assert_eq!(name(json!({ "tag": "v2" })), "other");
    assert_eq!(name(json!({ "tag": "docker.io/library/other:v2" })), "other");
    assert_eq!(name(json!({ "digest": amd["digest"] })), "amd");
    assert_eq!(name(json!({ "digest": index["digest"], "platform": "linux/arm64" })), "arm");
    let code = |options| chosen(options).unwrap_err().code();
    assert_eq!(code(json!({ "platform": "linux/amd64" })), "API_MISUSE");
    assert_eq!(code(json!({ "digest": index["digest"] })), "API_MISUSE");
    assert_eq!(code(json!({ "tag": "v3" })), "NOT_FOUND");
    assert_eq!(code(json!({ "platform": "linux/arm64/v8" })), "NOT_FOUND");
    assert_eq!(code(json!({ "platform": "linux/s390x" })), "NOT_FOUND");
    assert_eq!(code(json!({ "platform": "linux" })), "MALFORMED");
    let error = chosen(json!({})).unwrap_err();
    assert_eq!(error.code(), "API_MISUSE");
    for shown in [amd["digest"].as_str().unwrap(), "linux/arm64", "docker.io/library/other:v2", "v1"] {
        assert!(error.message().contains(shown), "{}", error.message());
    }
}

#[test]
fn what_docker_save_wrote_is_read_with_layers_by_links() {
    let other = Tar::default().file("n/node_modules/x/package.json", "{}").end();
    let layers = [alpine(), other.clone(), other];
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("saved.tar");
    for packed in [false, true] {
        let saved = docker_save(&layers, &["registry.example/team/app:1.0"]);
        std::fs::write(&path, if packed { gzip(&saved) } else { saved }).unwrap();
        let bom = generate(&path);
        assert_eq!(purls(&bom).len(), 2);
        let product = &bom.metadata.component;
        let id = product.version.as_deref().unwrap();
        assert_eq!(
            product.purl.as_deref(),
            Some(&*format!("pkg:docker/team/app@{id}?repository_url=registry.example"))
        );
        let mut options = ImageOptions::default();
        options.tag = Some("1.0".to_owned());
        options.digest = Some(id.parse().unwrap());
        assert_eq!(sbom::generate_image(&path, &options).unwrap(), bom);
        options.tag = Some("1.1".to_owned());
        assert_eq!(sbom::generate_image(&path, &options).unwrap_err().code(), "NOT_FOUND");
    }
}

#[test]
fn layouts_of_others_are_read_or_refused_for_what_they_lack() {
    let Some(dir) = corpora("oci-layouts") else { return };
    let code = |path: &str, options: serde_json::Value| {
        let options: ImageOptions = serde_json::from_value(options).unwrap();
        sbom::generate_image(&dir.join(path), &options).unwrap_err().code()
    };
    // indexes that tools wrote, without any blob
    for tool in ["containerd", "crane", "oras", "skopeo", "skopeo-alt", "zarf"] {
        assert_eq!(code(&format!("chainloop/{tool}"), json!({})), "NOT_FOUND", "{tool}");
    }
    // whole images in which no package is: every blob of theirs is right
    assert_eq!(code("ggcr/test_index_one_image", json!({})), "UNSUPPORTED");
    // a chart, which is no image
    assert_eq!(code("ggcr/test_index_media_type", json!({})), "UNSUPPORTED");
    // a manifest of Docker that the index calls one of OCI
    assert_eq!(code("ggcr/test_index", json!({ "tag": "1" })), "MALFORMED");
}

#[test]
fn the_images_of_the_fixtures_are_those_built_here() {
    let package = |name: &str| format!("x/node_modules/{name}/package.json");
    let manifest = |name: &str| format!(r#"{{"name":"{name}","version":"1.0.0"}}"#);
    let base = Tar::default()
        .file("etc/os-release", ALPINE)
        .file("lib/apk/db/installed", APK)
        .file(&package("right"), manifest("right"))
        .end();
    let later = Tar::default()
        .file("lib/apk/db/installed", APK.replace("1.2.5", "1.2.6"))
        .file(&package("left"), manifest("left"))
        .file("x/node_modules/.wh.right", "")
        .end();
    let mut layout = Layout::new();
    for architecture in ["amd64", "arm64"] {
        let image = layout.image(&[base.clone(), later.clone()], Packing::Plain, architecture);
        layout.list(image);
    }
    let of = |layer: Vec<u8>| docker_save(&[layer], &["registry.example/app:1.0"]);
    let mut damaged = of(alpine());
    let at = damaged.windows(4).position(|w| w == b"musl").unwrap();
    damaged[at] = b'M';
    let images = [
        ("layout", layout.tarball()),
        ("saved", of(alpine())),
        ("damaged", damaged),
        ("cut", of(alpine()[..1500].to_vec())),
        ("rpm", of(Tar::default().file("var/lib/rpm/Packages", "").end())),
        ("climbing", of(Tar::default().file("../../etc/passwd", "root").end())),
    ];
    for (name, expected) in images {
        let path = format!("{}/../fixtures/images/{name}.tar.gz", env!("CARGO_MANIFEST_DIR"));
        let mut found = Vec::new();
        let file = std::fs::File::open(&path).unwrap();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(file), &mut found).unwrap();
        assert!(found == expected, "{name}");
    }
}

/// A program of Go as the linker makes it, as far as it is looked at.
fn program(go: &str, modules: &str, at: usize) -> Vec<u8> {
    let text = |bytes: &[u8]| {
        let mut length = bytes.len();
        let mut text = Vec::new();
        while length >= 128 {
            text.push((length % 128) as u8 | 128);
            length /= 128;
        }
        [&text[..], &[length as u8], bytes].concat()
    };
    let marked = [
        b"0w\xaf\x0c\x92t\x08\x02A\xe1\xc1\x07\xe6\xd6\x18\xe6",
        modules.as_bytes(),
        b"\xf92C1\x86\x18 r\x00\x82B\x10A\x16\xd8\xf2",
    ]
    .concat();
    let mut program = b"\x7fELF".to_vec();
    program.resize(at, 1);
    program.extend(b"\xff Go buildinf:\x08\x02");
    program.extend([0; 16]);
    program.extend(text(go.as_bytes()));
    program.extend(text(&marked));
    program.extend(vec![2; 100_000]);
    program
}

#[test]
fn programs_of_go_tell_their_modules() {
    let modules = "path\tcorp.example/app/cmd\nmod\tcorp.example/app\t(devel)\t\n\
        dep\tgithub.com/BurntSushi/toml\tv1.2.0\th1:abc=\ndep\tgolang.org/x/old\tv0.1.0\n=>\tgithub.com/fork/new\tv0.2.0\th1:x=\n\
        dep\tcorp.example/lib\tv0.0.0\n=>\t./lib\t(devel)\t\nbuild\tGOOS=linux\n";
    // the magic as a constant of a program, before that of its own
    let mut both = program("go1.22.1", modules, 3 << 20);
    both[1600..1616].copy_from_slice(b"\xff Go buildinf:\x08\x02");
    let bom = bom_of(&[Tar::default().file("app", &both).end()]);
    let expected = [
        "pkg:golang/corp.example/app",
        "pkg:golang/corp.example/lib",
        "pkg:golang/github.com/burntsushi/toml@v1.2.0",
        "pkg:golang/github.com/fork/new@v0.2.0",
        "pkg:golang/stdlib@1.22.1",
    ];
    assert_eq!(purls(&bom), expected);
    assert_eq!(needs(&bom, "corp.example/app").len(), 4);
    assert_eq!(property(&bom, "stdlib", "sealwright:path"), ["/app"]);
    // one that a later layer removed, and one that is no program for Linux
    let removed = Tar::default().file(".wh.app", "").file("bin/other", program("go1.21.0 X:x", "", 64)).end();
    let bom = bom_of(&[Tar::default().file("app", &both).end(), removed]);
    assert_eq!(purls(&bom), ["pkg:golang/stdlib@1.21.0"]);
    both[0] = b'M';
    assert_eq!(code_of(&[Tar::default().file("app", both).end()]), "UNSUPPORTED");
}
