//! TLS: our certificate, and which client certificates are taken.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

use super::config::{Transport, refused};
use crate::error::Result;
use crate::limits;

/// The server's side of TLS, none for plain HTTP. TLS 1.2 and 1.3; no session outlives the certificate it was made with.
pub(super) fn server(transport: &Transport) -> Result<Option<Arc<ServerConfig>>> {
    let Transport::Tls { certificate, key, client_authorities, client_revocations } = transport else {
        return Ok(None);
    };
    let chain = certificates("certificate", certificate)?;
    let bytes = zeroize::Zeroizing::new(limits::read_file("key of the certificate", key, limits::KEY_BYTES)?);
    let private = PrivateKeyDer::from_pem_slice(&bytes)
        .map_err(|_| refused(&format!("`{}` holds no private key in PEM", key.display())))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| refused(&format!("TLS can't be set up: {e}")))?;
    let builder = match client_authorities {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates("client authorities", path)? {
                roots.add(authority).map_err(|e| refused(&format!("`{}`: {e}", path.display())))?;
            }
            let mut verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            if let Some(path) = client_revocations {
                verifier = verifier.with_crls(revocations(path)?);
            }
            // a caller with a token needs no certificate; one with a certificate of others is not let in
            let verifier = verifier.allow_unauthenticated().build();
            builder.with_client_cert_verifier(verifier.map_err(|e| refused(&format!("`{}`: {e}", path.display())))?)
        }
    };
    let mut config = builder
        .with_single_cert(chain, private)
        .map_err(|e| refused(&format!("certificate and key do not make a server: {e}")))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(Arc::new(config)))
}

fn certificates(what: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bytes = limits::read_file(what, path, limits::KEYRING_BYTES as u64)?;
    let found = CertificateDer::pem_slice_iter(&bytes).collect::<std::result::Result<Vec<_>, _>>();
    found
        .ok()
        .filter(|c| !c.is_empty())
        .ok_or_else(|| refused(&format!("`{}` holds no certificate in PEM", path.display())))
}

fn revocations(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>> {
    let bytes = limits::read_file("client revocations", path, limits::KEYRING_BYTES as u64)?;
    let found = CertificateRevocationListDer::pem_slice_iter(&bytes).collect::<std::result::Result<Vec<_>, _>>();
    found.ok().filter(|c| !c.is_empty()).ok_or_else(|| refused(&format!("`{}` holds no list in PEM", path.display())))
}
