//! By what time a certificate is judged. A board without a battery for its clock starts in 1970 and
//! learns the time from a network that it may not have; then every certificate is one of the future,
//! and an alarm would never leave. So whoever starts the session says what time it is at least. This
//! must never put the clock back: what has expired stays expired.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

/// Tells the time that certificates are judged by.
#[derive(Clone)]
pub struct CertificateClock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl CertificateClock {
    /// Asks `now` whenever a certificate is judged.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }
}

impl fmt::Debug for CertificateClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificateClock({})", (self.0)())
    }
}

impl TimeProvider for CertificateClock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from((self.0)().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use anju_model::BoxId;
    use anju_model::config::Upstream;
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
    use rustls::pki_types::{PrivateKeyDer, ServerName};
    use rustls::{ClientConnection, ServerConfig, ServerConnection, crypto};

    use super::*;
    use crate::Settings;

    /// A broker whose certificate holds through 2026 and 2027; its CA is written into the folder.
    fn broker(dir: &Path) -> Arc<ServerConfig> {
        let mut ca = CertificateParams::default();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_key = KeyPair::generate().unwrap();
        std::fs::write(dir.join("ca.pem"), ca.self_signed(&ca_key).unwrap().pem()).unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2027, 12, 31);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let provider = Arc::new(crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        Arc::new(builder.with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }

    /// Shakes hands as the session would at that time.
    fn shake(dir: &Path, broker: &Arc<ServerConfig>, now: &str) -> Result<(), String> {
        let now: Timestamp = now.parse().unwrap();
        let upstream = Upstream {
            host: "localhost".into(),
            port: 8883,
            tls: true,
            topic: "anju/1".into(),
            ca: Some(dir.join("ca.pem")),
            client_cert: None,
            client_key: None,
            command_key: None,
            username: None,
            password_file: None,
            heartbeat: Duration::from_secs(60),
        };
        let box_id = BoxId::new("hz-test").unwrap();
        let settings = Settings { box_id, upstream, clock: CertificateClock::new(move || now) };
        let name = ServerName::try_from("localhost").unwrap();
        let mut client = ClientConnection::new(Arc::new(settings.tls().unwrap()), name).unwrap();
        let mut server = ServerConnection::new(broker.clone()).unwrap();
        while client.is_handshaking() {
            let mut wire = Vec::new();
            client.write_tls(&mut wire).unwrap();
            server.read_tls(&mut wire.as_slice()).unwrap();
            server.process_new_packets().unwrap();
            let mut wire = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut wire).unwrap();
            }
            let mut wire = wire.as_slice();
            while !wire.is_empty() {
                client.read_tls(&mut wire).unwrap();
                client.process_new_packets().map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    #[test]
    fn a_certificate_is_judged_by_the_given_time() {
        let dir = tempfile::tempdir().unwrap();
        let broker = broker(dir.path());
        let shake = |now| shake(dir.path(), &broker, now);
        let early = shake("1970-01-01T00:00:20Z").unwrap_err();
        assert!(early.contains("not valid yet"), "{early}");
        assert_eq!(shake("2026-11-25T00:00:00Z"), Ok(()));
        let late = shake("2028-02-01T00:00:00Z").unwrap_err();
        assert!(late.contains("expired"), "{late}");
    }
}
