//! TLS to a broker. Files are read anew for each connection, so that a renewed certificate needs no
//! restart. It must never fall back to a plain connection.

use std::path::Path;
use std::sync::Arc;

use anju_model::config::MqttTls;
use rumqttc::{TlsConfiguration, Transport};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, crypto};

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let name = path.display();
    let found: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).map_err(|error| format!("{name}: {error}"))?.collect();
    match found {
        Ok(list) if !list.is_empty() => Ok(list),
        Ok(_) => Err(format!("{name} holds no certificate")),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

fn config(tls: &MqttTls) -> Result<ClientConfig, String> {
    let text = |error: rustls::Error| error.to_string();
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&tls.ca)? {
        roots.add(certificate).map_err(text)?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(text)?
        .with_root_certificates(roots);
    let Some((cert, key)) = &tls.client else { return Ok(builder.with_no_client_auth()) };
    let chain = certificates(cert)?;
    let secret =
        PrivateKeyDer::from_pem_file(key).map_err(|error| format!("{}: {error}", key.display()))?;
    builder.with_client_auth_cert(chain, secret).map_err(text)
}

/// The transport of a connection.
///
/// # Errors
/// Text that names the file and what is wrong with it.
pub fn transport(tls: &MqttTls) -> Result<Transport, String> {
    let config = TlsConfiguration::Rustls(Arc::new(config(tls)?));
    Ok(Transport::tls_with_config(config))
}
