//! Brokers that want to know who comes: TLS with client certificates, user names and passwords, both
//! versions of MQTT.

use std::path::Path;
use std::process::Command;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
};
use serde_json::json;

use crate::common::{Broker, free_port};
use crate::home::{Home, alarm};

/// A CA, and a certificate that it signed for the broker and the box.
fn certificates(dir: &Path) {
    let named = |params: &mut CertificateParams, name: &str| {
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
    };
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    named(&mut ca, "test CA");
    let ca_key = KeyPair::generate().unwrap();
    let signed = ca.self_signed(&ca_key).unwrap();
    std::fs::write(dir.join("ca.pem"), signed.pem()).unwrap();
    let issuer = Issuer::new(ca, ca_key);
    for name in ["broker", "box"] {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        named(&mut params, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        std::fs::write(dir.join(format!("{name}.pem")), certificate.pem()).unwrap();
        std::fs::write(dir.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

fn rows(url: &str, version: &str, more: &str) -> String {
    format!(
        "[links.zigbee]\nkind = \"mqtt\"\nurl = \"{url}\"\ndialect = \"zigbee2mqtt\"\n\
         version = \"{version}\"\n{more}\n[[device]]\nid = \"it\"\nkind = \"fixed-alarm\"\n\
         link = \"zigbee\"\naddress = \"it\"\n"
    )
}

/// The box hears a press.
async fn hears(mut home: Home) {
    home.leave("zigbee2mqtt/it", r#"{"battery":87}"#).await;
    home.observed("it", "battery", json!({"percent": 87.0})).await;
    home.say("zigbee2mqtt/it", &json!({"action": "emergency"})).await;
    assert_eq!(home.raised("it").await, alarm("help"));
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_with_a_client_certificate_in_both_versions() {
    for version in ["5", "3.1.1"] {
        let dir = tempfile::tempdir().unwrap();
        certificates(dir.path());
        let at = dir.path().display().to_string();
        let port = free_port();
        let lines = format!(
            "listener {port} 127.0.0.1\ncafile {at}/ca.pem\ncertfile {at}/broker.pem\n\
             keyfile {at}/broker.key\nrequire_certificate true\nallow_anonymous true\n"
        );
        let more = format!(
            "ca = \"{at}/ca.pem\"\nclient_cert = \"{at}/box.pem\"\nclient_key = \"{at}/box.key\""
        );
        let rows = rows(&format!("mqtts://localhost:{port}"), version, &more);
        hears(Home::at(Broker::with(dir, &lines), &rows, &[]).await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_name_and_a_password_from_a_file() {
    for version in ["5", "3.1.1"] {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().display().to_string();
        let made = Command::new("mosquitto_passwd")
            .args(["-c", "-b", &format!("{at}/users"), "box", "a secret "])
            .status()
            .expect("mosquitto_passwd comes with mosquitto");
        assert!(made.success());
        std::fs::write(dir.path().join("password"), "a secret \n").unwrap();
        let port = free_port();
        let lines = format!(
            "listener {port} 127.0.0.1\nallow_anonymous false\n\
             password_file {at}/users\n"
        );
        let more = format!("username = \"box\"\npassword_file = \"{at}/password\"");
        let rows = rows(&format!("mqtt://127.0.0.1:{port}"), version, &more);
        hears(Home::at(Broker::with(dir, &lines), &rows, &[]).await).await;
    }
}
