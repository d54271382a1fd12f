//! Packages of rpm in container images, from databases that SQLite itself wrote.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, reason = "helpers of tests")]

mod built;

use self::built::*;

/// A header of rpm: rows of tag, type, and value.
fn rpm_header(rows: &[(u32, u32, &[&str])]) -> Vec<u8> {
    let (mut index, mut values) = (Vec::new(), Vec::new());
    for (tag, kind, texts) in rows {
        while *kind == 4 && values.len() % 4 != 0 {
            values.push(0);
        }
        for number in [*tag, *kind, values.len() as u32, texts.len() as u32] {
            index.extend(number.to_be_bytes());
        }
        for text in *texts {
            match kind {
                4 => values.extend(text.parse::<u32>().unwrap().to_be_bytes()),
                _ => values.extend([text.as_bytes(), &[0]].concat()),
            }
        }
    }
    [&(rows.len() as u32).to_be_bytes()[..], &(values.len() as u32).to_be_bytes(), &index, &values].concat()
}

/// A database of rpm with these headers, as the bytes of its file.
fn rpmdb(headers: &[Vec<u8>], more: &str) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rpmdb.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    // as rpm makes it, with a log beside it
    let _: String = database.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).unwrap();
    database
        .execute_batch("CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
        .unwrap();
    for header in headers {
        database.execute("INSERT INTO Packages (blob) VALUES (?1)", [header]).unwrap();
    }
    database.execute_batch(more).unwrap();
    database.close().unwrap();
    std::fs::read(path).unwrap()
}

const FEDORA: &str = "NAME=\"Fedora Linux\"\nID=fedora\nVERSION_ID=41\n";

fn rpm_packages() -> Vec<Vec<u8>> {
    let named = |name, version, release| [(1000, 6, name), (1001, 6, version), (1002, 6, release), (1022, 6, "x86_64")];
    let header = |fixed: [(u32, u32, &str); 4], more: &[(u32, u32, &[&str])]| {
        let texts: Vec<[&str; 1]> = fixed.iter().map(|(_, _, text)| [*text]).collect();
        let mut rows: Vec<(u32, u32, &[&str])> =
            fixed.iter().zip(&texts).map(|((t, k, _), v)| (*t, *k, &v[..])).collect();
        rows.extend(more);
        rpm_header(&rows)
    };
    vec![
        header(
            named("bash", "5.2.32", "1.fc41"),
            &[
                (1003, 4, &["0"]),
                (1014, 6, &["GPL-3.0-or-later"]),
                (1044, 6, &["bash-5.2.32-1.fc41.src.rpm"]),
                (1047, 8, &["bash", "config(bash)"]),
                (1049, 8, &["libc.so.6()(64bit)", "rpmlib(CompressedFileNames)", "gone"]),
                (1116, 4, &["1", "0"]),
                (1117, 8, &["bashbug", "sh"]),
                (1118, 8, &["/usr/bin/", "/usr/share/"]),
            ],
        ),
        header(
            named("glibc", "2.40", "3.fc41"),
            &[(1047, 8, &["glibc", "libc.so.6()(64bit)"]), (1049, 8, &["/usr/bin/sh"])],
        ),
        header(named("dnf", "1", "1"), &[(1003, 4, &["2"]), (1049, 8, &["bash", "(a if b)"])]),
        header(named("gpg-pubkey", "e99d6ad1", "64d2612c"), &[]),
    ]
}

#[test]
fn packages_of_rpm_are_told_with_epoch_source_licence_and_what_they_need() {
    let database = rpmdb(&rpm_packages(), "");
    assert_eq!(database[18], 2, "rpm keeps a log");
    let layer = Tar::default()
        .file("etc/os-release", FEDORA)
        .file("usr/lib/sysimage/rpm/rpmdb.sqlite", &database)
        .file("usr/lib/sysimage/rpm/rpmdb.sqlite-wal", "")
        .link("var/lib/rpm", "../../usr/lib/sysimage/rpm");
    let bom = bom_of(&[layer.clone().end()]);
    assert_eq!(
        purls(&bom),
        [
            "pkg:rpm/fedora/bash@5.2.32-1.fc41?arch=x86_64&distro=fedora-41&epoch=0",
            "pkg:rpm/fedora/dnf@1-1?arch=x86_64&distro=fedora-41&epoch=2",
            "pkg:rpm/fedora/glibc@2.40-3.fc41?arch=x86_64&distro=fedora-41",
        ]
    );
    let dnf = bom.components.iter().find(|c| c.name == "dnf").unwrap();
    assert_eq!(dnf.version.as_deref(), Some("2:1-1"));
    assert_eq!(needs(&bom, "bash"), ["glibc"]);
    assert_eq!(needs(&bom, "glibc"), ["bash"], "by a file that it has");
    assert_eq!(needs(&bom, "dnf"), ["bash"]);
    assert_eq!(property(&bom, "bash", "sealwright:source-package"), ["bash-5.2.32-1.fc41.src.rpm"]);
    let unclosed = layer.file("usr/lib/sysimage/rpm/rpmdb.sqlite-wal", "what was not brought in");
    assert_eq!(code_of(&[unclosed.end()]), "UNSUPPORTED");
}

#[test]
fn a_database_of_rpm_that_is_damaged_or_made_to_harm_is_refused() {
    let code = |database: &[u8]| {
        code_of(&[Tar::default().file("etc/os-release", FEDORA).file("var/lib/rpm/rpmdb.sqlite", database).end()])
    };
    let whole = rpmdb(&rpm_packages(), "");
    assert_eq!(code(b""), "MALFORMED");
    assert_eq!(code(&[b'x'; 4096]), "MALFORMED");
    assert_eq!(code(&whole[..whole.len() - 4096]), "MALFORMED", "cut");
    let mut loops = whole.clone();
    // the page of the table says that it is an inner one
    let page = loops.windows(4).position(|w| w == b"bash").unwrap() / 4096 * 4096;
    loops[page] = 5;
    assert_eq!(code(&loops), "MALFORMED");
    let view = "ALTER TABLE Packages RENAME TO P; CREATE VIEW Packages AS WITH RECURSIVE n(blob) AS \
                (VALUES(x'00') UNION ALL SELECT blob FROM n) SELECT blob FROM n;";
    assert_eq!(code(&rpmdb(&rpm_packages(), view)), "MALFORMED", "a view without end");
    let made = "DROP TABLE Packages; CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB AS (zeroblob(9)));";
    assert_eq!(code(&rpmdb(&[], made)), "MALFORMED", "a column that is reckoned");
    assert_eq!(code(&rpmdb(&[], "DROP TABLE Packages")), "MALFORMED");
    assert_eq!(code(&rpmdb(&[], "")), "UNSUPPORTED", "no package at all");
    for header in
        [&b""[..], b"\0\0\0\x01", &[0xff; 64], &rpm_packages()[0][..100], &[&rpm_packages()[0][..], b"x"].concat()]
    {
        assert_eq!(code(&rpmdb(&[header.to_vec()], "")), "MALFORMED");
    }
    assert_eq!(code(&rpmdb(&[rpm_header(&[(1000, 6, &["a"])])], "")), "MALFORMED", "no version");
}
