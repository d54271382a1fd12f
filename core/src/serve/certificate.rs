//! Whom a client certificate names, after TLS has verified it.

use der::Decode;
use serde::Deserialize;
use x509_cert::Certificate;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// A name in a certificate, exact: one kind and its text.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateName {
    /// A URI among its alternative names, such as `spiffe://example.org/ci/build`.
    Uri(String),
    /// A DNS name among its alternative names.
    Dns(String),
    /// An e-mail address among its alternative names.
    Email(String),
    /// Its subject, as RFC 4514 writes it, such as `CN=build,O=Example`.
    Subject(String),
}

/// All names of a certificate; none if it can't be read.
pub(super) fn names(der: &[u8]) -> Vec<CertificateName> {
    let Ok(certificate) = Certificate::from_der(der) else { return Vec::new() };
    let mut names = vec![CertificateName::Subject(certificate.tbs_certificate.subject.to_string())];
    if let Ok(Some((_, alternative))) = certificate.tbs_certificate.get::<SubjectAltName>() {
        names.extend(alternative.0.iter().filter_map(|name| match name {
            GeneralName::UniformResourceIdentifier(uri) => Some(CertificateName::Uri(uri.to_string())),
            GeneralName::DnsName(name) => Some(CertificateName::Dns(name.to_string())),
            GeneralName::Rfc822Name(address) => Some(CertificateName::Email(address.to_string())),
            _ => None,
        }));
    }
    // an empty name is nobody's
    names.retain(|name| match name {
        CertificateName::Uri(text) | CertificateName::Dns(text) => !text.is_empty(),
        CertificateName::Email(text) | CertificateName::Subject(text) => !text.is_empty(),
    });
    names
}
