//! Which licences may be in a product.

use serde::{Deserialize, Serialize};
use spdx::Expression;

use super::license;
use super::summary::Summary;
use crate::error::{Error, ErrorKind, Result};
use crate::json;

/// Which licences are allowed and which are not, by SPDX ids, `id WITH exception`, or names as they stand. The case of ids
/// says nothing (SPDX 2.3, annex D.2), and deprecated GNU ids mean those of now: `GPL-3.0` is `GPL-3.0-only`.
///
/// What is allowed by its whole text is allowed; else what is denied is not, by its text or by its id alone; else, where
/// anything is listed as allowed, only that is. Of alternatives (`OR`) one must be allowed, of what applies together
/// (`AND`, several licences) all.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct LicensePolicy {
    /// What may be there. If empty, whatever is not denied.
    pub allow: Vec<String>,
    /// What must not be there.
    pub deny: Vec<String>,
    /// Whether a component without a licence passes.
    pub allow_unlicensed: bool,
}

/// A component whose licences are not allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LicenseFault {
    /// Where it stands, as a JSON pointer into [`super::Document::json`].
    pub path: String,
    /// Its name and version.
    pub component: String,
    /// The licence as it stands; none if it has none.
    pub license: Option<String>,
    /// What of it is not allowed, and why.
    pub reason: String,
}

impl LicensePolicy {
    /// Reads it from JSON.
    ///
    /// # Errors
    /// `MALFORMED` for another key or type.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        json::parse("licence policy", bytes)
    }

    /// The components of `summary` whose licences it does not allow; the subject's are the product's own and not asked.
    ///
    /// ```
    /// # let bom = br#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"a",
    /// #     "licenses":[{"expression":"MIT OR GPL-2.0-only"}]}]}"#;
    /// # let summary = sealwright::sbom::read(bom)?;
    /// let mut policy = sealwright::sbom::LicensePolicy::default();
    /// policy.deny = vec!["GPL-2.0-only".to_owned()];
    /// assert!(policy.check(&summary)?.is_empty(), "it may be taken under MIT");
    /// # Ok::<(), sealwright::Error>(())
    /// ```
    ///
    /// # Errors
    /// `API_MISUSE` if it lists nothing.
    pub fn check(&self, summary: &Summary) -> Result<Vec<LicenseFault>> {
        if self.allow.is_empty() && self.deny.is_empty() {
            return Err(Error::new(ErrorKind::ApiMisuse, "the licence policy lists nothing; allow or deny something"));
        }
        let canonical = |list: &[String]| list.iter().map(|text| license::canonical(text)).collect();
        let listed = Self {
            allow: canonical(&self.allow),
            deny: canonical(&self.deny),
            allow_unlicensed: self.allow_unlicensed,
        };
        let mut faults = Vec::new();
        for component in &summary.components {
            let version = component.version.as_deref().map(|v| format!(" {v}")).unwrap_or_default();
            let mut fault = |license: Option<&String>, reason: String| {
                faults.push(LicenseFault {
                    path: component.path.clone(),
                    component: format!("{}{version}", component.name),
                    license: license.cloned(),
                    reason,
                });
            };
            if component.licenses.is_empty() && !self.allow_unlicensed {
                fault(None, "it tells no licence".to_owned());
            }
            for text in &component.licenses {
                if let Some(reason) = listed.refuses(&license::canonical(text)) {
                    fault(Some(text), reason);
                }
            }
        }
        Ok(faults)
    }

    fn refuses(&self, text: &str) -> Option<String> {
        if self.allow.iter().any(|known| known == text) {
            return None;
        }
        let Ok(expression) = Expression::parse_mode(text, license::WRITTEN) else {
            return match () {
                () if self.deny.iter().any(|known| known == text) => Some("it is denied".to_owned()),
                // a name of its own is nothing that a list of SPDX ids decides
                () => Some("it is no SPDX licence, and not allowed by its name".to_owned()),
            };
        };
        let mut refused = Vec::new();
        let met = expression.evaluate(|requirement| {
            let reason = self.refuses_one(&requirement.to_string());
            refused.extend(reason.clone());
            reason.is_none()
        });
        refused.dedup();
        (!met).then(|| refused.join(", "))
    }

    /// Why a licence, maybe with an exception, is not allowed.
    fn refuses_one(&self, whole: &str) -> Option<String> {
        let id = whole.split(" WITH ").next().unwrap_or(whole);
        let lists = |list: &[String], text: &str| list.iter().any(|known| known == text);
        if lists(&self.allow, whole) {
            return None;
        }
        if lists(&self.deny, whole) || lists(&self.deny, id) {
            return Some(format!("`{whole}` is denied"));
        }
        if self.allow.is_empty() || lists(&self.allow, id) { None } else { Some(format!("`{whole}` is not allowed")) }
    }
}
