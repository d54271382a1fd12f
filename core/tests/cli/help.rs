//! Help texts: each command has one, and each fits 80 columns.

use crate::place::Place;

/// The subcommands that a help text lists.
fn listed(help: &str) -> Vec<String> {
    let commands = help.split("Commands:\n").nth(1).unwrap_or_default();
    let lines = commands.lines().take_while(|line| !line.is_empty());
    lines.filter(|l| !l.starts_with("   ")).map(|l| l.split_whitespace().next().unwrap().to_owned()).collect()
}

#[test]
fn each_command_has_a_help_text_that_fits_80_columns() {
    let place = Place::new();
    let mut open = vec![String::new()];
    let mut seen = 0;
    while let Some(command) = open.pop() {
        let help = place.pass(&format!("{command} --help"));
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{command}: {line}");
        }
        assert!(help.contains("Usage: sealwright"), "{help}");
        assert!(help.contains(&format!("sealwright{command}")), "{help}");
        open.extend(listed(&help).into_iter().map(|sub| format!("{command} {sub}")));
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
}

#[test]
fn a_command_line_that_is_not_understood_ends_with_2() {
    let place = Place::new();
    for line in
        ["", "no-such-command", "verify", "key generate --type rsa --out x.pem", "gate prod --artifact x --release"]
    {
        let ran = place.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{line}");
        assert!(ran.err.contains("Usage: ") || ran.err.contains("--help"), "{line}: {}", ran.err);
        if !line.is_empty() {
            assert_eq!(place.json(2, line)["error"]["code"], "API_MISUSE", "{line}");
        }
    }
}

#[test]
fn nothing_is_coloured_when_there_is_no_terminal() {
    let place = Place::new();
    for line in ["--help", "--version", "verify", "ledger stats"] {
        let ran = place.run_with(&[("CLICOLOR_FORCE", "1"), ("TERM", "xterm-256color")], line);
        assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{line}");
    }
}
