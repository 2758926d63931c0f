//! What a connection needs, read from the configuration and the files it names. Secrets stay here
//! and are never shown.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anju_model::BoxId;
use anju_model::config::Upstream;
use rumqttc::tokio_rustls::rustls::pki_types::pem::PemObject;
use rumqttc::tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rumqttc::tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
use rumqttc::v5::MqttOptions;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::LastWill;
use rumqttc::{NetworkOptions, TlsConfiguration, Transport};
use rustls_platform_verifier::Verifier;
use thiserror::Error;

use crate::certificate_clock::CertificateClock;

/// A dead connection is noticed after at most twice this.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// The broker keeps our command subscription this long, seconds.
const SESSION_EXPIRY: u32 = 7 * 24 * 3600;

/// Largest command, bytes; larger ones end the connection at the protocol.
const MAX_PACKET: u32 = 256 * 1024;

/// Why a connection can not be prepared.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// A file can not be read.
    #[error("{what} {path}: {reason}; check the file and the key in [upstream]")]
    File {
        /// What it should hold.
        what: &'static str,
        /// Which file.
        path: String,
        /// Why not.
        reason: String,
    },
    /// TLS can not be set up with these files.
    #[error("TLS: {0}; check ca, client_cert and client_key in [upstream]")]
    Tls(String),
}

/// Where to publish and how to connect.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The box.
    pub box_id: BoxId,
    /// As configured.
    pub upstream: Upstream,
    /// By what time certificates are judged.
    pub clock: CertificateClock,
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, SettingsError> {
    std::fs::read(path).map_err(|error| SettingsError::File {
        what,
        path: path.display().to_string(),
        reason: error.to_string(),
    })
}

fn certificates(
    what: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, SettingsError> {
    let pem = read(what, path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(list) if !list.is_empty() => Ok(list),
        Ok(_) => Err("it holds no certificate".to_owned()),
        Err(error) => Err(error.to_string()),
    }
    .map_err(|reason| SettingsError::File { what, path: path.display().to_string(), reason })
}

impl Settings {
    fn topic(&self, last: &str) -> String {
        format!("{}/{}/{last}", self.upstream.topic, self.box_id)
    }

    /// `…/alerts`
    pub fn alerts_topic(&self) -> String {
        self.topic("alerts")
    }

    /// `…/events`
    pub fn events_topic(&self) -> String {
        self.topic("events")
    }

    /// `…/status`
    pub fn status_topic(&self) -> String {
        self.topic("status")
    }

    /// `…/commands`
    pub fn commands_topic(&self) -> String {
        self.topic("commands")
    }

    /// `…/replies`
    pub fn replies_topic(&self) -> String {
        self.topic("replies")
    }

    /// Whether a reply may go there: to a plain topic outside the broker's own tree, and of the
    /// box's own topics only to where replies belong. Nobody must be able to have the box write into
    /// its alerts, its status or its commands.
    pub fn may_reply_to(&self, topic: &str) -> bool {
        let replies = self.replies_topic();
        let below = |topic: &str, of: &str| {
            topic.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let own = replies.strip_suffix("/replies").unwrap_or(&replies);
        (1..=512).contains(&topic.len())
            && !topic.starts_with('$')
            && !topic.contains(['+', '#', '\0'])
            && (!below(topic, own) || below(topic, &replies))
    }

    /// Options of one connection. Files are read anew each time, so that a renewed certificate
    /// needs no restart.
    ///
    /// # Errors
    /// [`SettingsError`] names the file and the mend.
    pub fn options(&self, in_flight: u16) -> Result<MqttOptions, SettingsError> {
        let mut options = self.plain_options(self.box_id.as_str())?;
        options
            .set_clean_start(false)
            .set_session_expiry_interval(Some(SESSION_EXPIRY))
            .set_outgoing_inflight_upper_limit(in_flight)
            .set_last_will(LastWill::new(
                self.status_topic(),
                crate::status::OFFLINE,
                QoS::AtLeastOnce,
                true,
                None,
            ));
        Ok(options)
    }

    /// How to connect, without what belongs to the box's own session.
    ///
    /// # Errors
    /// [`SettingsError`] names the file and the mend.
    pub fn plain_options(&self, id: &str) -> Result<MqttOptions, SettingsError> {
        let upstream = &self.upstream;
        let mut options = MqttOptions::new(id, &upstream.host, upstream.port);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        network.set_connection_timeout(10);
        options
            .set_keep_alive(KEEP_ALIVE)
            .set_max_packet_size(Some(MAX_PACKET))
            .set_manual_acks(true)
            .set_connection_timeout(20)
            .set_network_options(network);
        if let Some(username) = &upstream.username {
            let password = match &upstream.password_file {
                Some(path) => {
                    let bytes = read("password file", path)?;
                    String::from_utf8_lossy(&bytes).trim_end().to_owned()
                }
                None => String::new(),
            };
            options.set_credentials(username, password);
        }
        if upstream.tls {
            let config = TlsConfiguration::Rustls(Arc::new(self.tls()?));
            options.set_transport(Transport::tls_with_config(config));
        }
        Ok(options)
    }

    /// How TLS is spoken with the broker.
    ///
    /// # Errors
    /// [`SettingsError`] names the file and the mend.
    pub fn tls(&self) -> Result<ClientConfig, SettingsError> {
        let tls = |error: &dyn std::fmt::Display| SettingsError::Tls(error.to_string());
        let provider = Arc::new(crypto::ring::default_provider());
        let clock = Arc::new(self.clock.clone());
        let builder = ClientConfig::builder_with_details(provider.clone(), clock)
            .with_safe_default_protocol_versions()
            .map_err(|error| tls(&error))?;
        let builder = if let Some(ca) = &self.upstream.ca {
            let mut roots = RootCertStore::empty();
            for certificate in certificates("CA certificates", ca)? {
                roots.add(certificate).map_err(|error| tls(&error))?;
            }
            builder.with_root_certificates(roots)
        } else {
            // The certificates that the system trusts.
            let verifier = Verifier::new(provider).map_err(|error| tls(&error))?;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
        };
        match (&self.upstream.client_cert, &self.upstream.client_key) {
            (Some(cert), Some(key)) => {
                let chain = certificates("client certificate", cert)?;
                let pem = read("client key", key)?;
                let key =
                    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| SettingsError::File {
                        what: "client key",
                        path: key.display().to_string(),
                        reason: error.to_string(),
                    })?;
                builder.with_client_auth_cert(chain, key).map_err(|error| tls(&error))
            }
            _ => Ok(builder.with_no_client_auth()),
        }
    }
}
