//! The base score of a CVSS 3.0 or 3.1 vector (first.org, CVSS 3.1 specification, section 7.1).

use super::finding::Level;

/// How bad a vector is; [`Level::Unknown`] for another version or a vector that is none.
pub(super) fn level(vector: &str) -> Level {
    base_score(vector).map_or(Level::Unknown, Level::of_score)
}

/// The base score; `None` for another version than 3, or a vector that is none.
pub(super) fn base_score(vector: &str) -> Option<f64> {
    let metrics = vector.strip_prefix("CVSS:3.1/").or_else(|| vector.strip_prefix("CVSS:3.0/"))?;
    let value = |name: &str| metrics.split('/').find_map(|metric| metric.strip_prefix(name)?.strip_prefix(':'));
    let changed = match value("S")? {
        "C" => true,
        "U" => false,
        _ => return None,
    };
    let of = |name: &str, words: &[(&str, f64)]| {
        let word = value(name)?;
        words.iter().find(|(known, _)| *known == word).map(|(_, weight)| *weight)
    };
    let privileges =
        if changed { [("N", 0.85), ("L", 0.68), ("H", 0.5)] } else { [("N", 0.85), ("L", 0.62), ("H", 0.27)] };
    let exploitability = 8.22
        * of("AV", &[("N", 0.85), ("A", 0.62), ("L", 0.55), ("P", 0.2)])?
        * of("AC", &[("L", 0.77), ("H", 0.44)])?
        * of("PR", &privileges)?
        * of("UI", &[("N", 0.85), ("R", 0.62)])?;
    let harm = [("H", 0.56), ("L", 0.22), ("N", 0.0)];
    let kept = (1.0 - of("C", &harm)?) * (1.0 - of("I", &harm)?) * (1.0 - of("A", &harm)?);
    let base = 1.0 - kept;
    let impact = if changed { 7.52 * (base - 0.029) - 3.25 * (base - 0.02).powi(15) } else { 6.42 * base };
    if impact <= 0.0 {
        return Some(0.0);
    }
    let sum = if changed { 1.08 * (impact + exploitability) } else { impact + exploitability };
    // the next tenth, counted in hundred thousandths so that rounding of floats does not tip it (appendix A)
    let scaled = (sum.min(10.0) * 100_000.0).round();
    Some(if scaled % 10_000.0 == 0.0 { scaled / 100_000.0 } else { ((scaled / 10_000.0).floor() + 1.0) / 10.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_have_the_scores_that_first_org_and_nvd_publish() {
        for (vector, score) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L", 5.3),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", 7.5),
            ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:N/A:N", 7.7),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
            ("CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", 1.8),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
        ] {
            assert_eq!(base_score(vector), Some(score), "{vector}");
        }
    }

    #[test]
    fn other_versions_and_broken_vectors_have_no_score() {
        for vector in
            ["", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H", "AV:N/AC:L/Au:N/C:P/I:P/A:P", "CVSS:3.1/AV:N"]
        {
            assert_eq!(level(vector), Level::Unknown, "{vector}");
        }
    }
}
