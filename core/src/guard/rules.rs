//! The rules that come with the library. Each is precise rather than broad: a hit refuses, so that a rule which often finds
//! nothing wrong would soon be turned off.

use super::Class::{self, Phi, Secrets};
use super::checksum::Check;

pub(super) const RULES: &[(&str, Class, &str, Check)] = &[
    ("private-key", Secrets, r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----", Check::None),
    ("aws-access-key", Secrets, r"\b((?:AKIA|ASIA)[0-9A-Z]{16})\b", Check::Secret),
    ("github-token", Secrets, r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{60,})", Check::None),
    ("gitlab-token", Secrets, r"\bgl(?:pat|ptt|dt|rt|ft|cbt)-[0-9A-Za-z_-]{20,}", Check::None),
    ("slack-token", Secrets, r"\bxox[abeprs]-[0-9A-Za-z-]{20,}", Check::None),
    ("google-api-key", Secrets, r"\bAIza[0-9A-Za-z_-]{35}", Check::None),
    ("stripe-key", Secrets, r"\b[rs]k_live_[0-9A-Za-z]{24,}", Check::None),
    ("npm-token", Secrets, r"\bnpm_[0-9A-Za-z]{36}\b", Check::None),
    ("pypi-token", Secrets, r"\bpypi-AgE[0-9A-Za-z_-]{50,}", Check::None),
    ("vault-token", Secrets, r"\bhv[bs]\.[0-9A-Za-z_-]{24,}", Check::None),
    ("json-web-token", Secrets, r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{16,}", Check::None),
    ("authorization", Secrets, r"(?i)\bauthorization\s*:\s*(?:bearer|basic)\s+([0-9a-z+/=._~-]{16,})", Check::Secret),
    ("connection-string", Secrets, r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{1,64}:([^\s@/]{1,200})@[^\s/]", Check::Secret),
    (
        "password",
        Secrets,
        r#"(?i)\b(?:password|passwd|pwd|client_secret|api[_-]?key|secret[_-]?key)["']?\s*[=:]\s*["']([^"'\s]{8,200})["']"#,
        Check::Secret,
    ),
    ("social-security-number", Phi, r"\b(\d{3}-\d{2}-\d{4})\b", Check::Ssn),
    // as long as digits go on: a card may stand behind another number
    ("card-number", Phi, r"\b(\d(?:[ -]?\d){12,})\b", Check::Luhn),
    ("iban", Phi, r"\b([A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?)\b", Check::Iban),
    (
        "medical-record-number",
        Phi,
        r"(?i)\b(?:mrn|medical[ _-]record(?:[ _-](?:no|number|id))?)\b[\s:#.=]*([a-z]{0,3}\d{6,10})\b",
        Check::None,
    ),
    ("nhs-number", Phi, r"(?i)\bnhs(?:[ _-](?:no|number))?\b[\s:#.=]*(\d{3}[ -]?\d{3}[ -]?\d{4})\b", Check::Nhs),
    (
        "date-of-birth",
        Phi,
        r"(?i)\b(?:dob|date[ _-]of[ _-]birth|birth[ _-]?date)\b[\s:=]*(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})\b",
        Check::None,
    ),
];
