//! TLS to the centre: certificates that are wrong, expired, of another name, or refused. Nothing
//! leaves the box then; the alarm is spoken, the fault is told, and a mended file needs no restart.

use std::path::Path;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;

use crate::common::{Box_, Broker, DEADLINE, Peer};

const PRESS: &str = "zigbee2mqtt/sos-button";
const DOOR: &str = "zigbee2mqtt/0x00158d0001e52fbb";

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for a name, and its key, as PEM.
fn issue(by: &Authority, name: &str, expired: bool) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    if expired {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    }
    let certificate = params.signed_by(&key, by).unwrap();
    (certificate.pem(), key.serialize_pem())
}

/// Writes a server's certificate where its broker reads it.
fn serve_as(dir: &Path, (certificate, key): (String, String)) {
    std::fs::write(dir.join("server.pem"), certificate).unwrap();
    std::fs::write(dir.join("server.key"), key).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_certificate_lets_nothing_out_and_a_right_one_everything() {
    let files = tempfile::tempdir().unwrap();
    let dir = files.path();
    let (ours, others) = (authority("ours"), authority("others"));
    std::fs::write(dir.join("ca.pem"), ours.pem()).unwrap();
    serve_as(dir, issue(&others, "localhost", false));
    let (certificate, key) = issue(&others, "hz-test", false);
    std::fs::write(dir.join("box.pem"), certificate).unwrap();
    std::fs::write(dir.join("box.key"), key).unwrap();

    let zigbee = Broker::start();
    let tls = crate::common::free_port();
    let mut upstream = Broker::with(
        tempfile::tempdir().unwrap(),
        &format!(
            "listener {tls} 127.0.0.1\ncafile {0}/ca.pem\ncertfile {0}/server.pem\nkeyfile {0}/server.key\n\
         require_certificate true\nallow_anonymous true\n",
            dir.display()
        ),
    );
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    let path = anju.dir.path().join("anju.toml");
    let config = std::fs::read_to_string(&path).unwrap().replace(
        &format!("url = \"mqtt://127.0.0.1:{}\"", upstream.port),
        &format!(
            "url = \"mqtts://localhost:{tls}\"\nca = \"{0}/ca.pem\"\nclient_cert = \"{0}/box.pem\"\n\
             client_key = \"{0}/box.key\"",
            dir.display()
        ),
    );
    std::fs::write(path, config).unwrap();
    anju.start();
    devices.publish_with(DOOR, true, r#"{"contact":true}"#.into(), Default::default()).await;
    recorded(&anju, "cn.anju.observation.contact").await;
    devices.publish(PRESS, r#"{"action":"emergency"}"#).await;
    recorded(&anju, "cn.anju.alert.announced").await;
    // By an authority that is not ours.
    let export = recorded(&anju, "cn.anju.box.network").await;
    assert!(export.contains("invalid peer certificate"), "{export}");
    let mut centre = Peer::connect("centre-0", upstream.port, &["anju/1/#"]).await;
    assert!(centre.there().is_empty(), "something left the box");
    // Expired; another name; then ours, but the box's own is refused.
    let certificates =
        [("localhost", true), ("elsewhere.example", false), ("localhost", false)].into_iter();
    for (n, (name, expired)) in certificates.enumerate() {
        serve_as(dir, issue(&ours, name, expired));
        upstream.stop();
        upstream.restart();
        // One that still tries to connect under the same name would push this one out.
        centre = Peer::connect(&format!("centre-{}", n + 1), upstream.port, &["anju/1/#"]).await;
        // Two tries of the box end at this broker; what is new waits for no pause between them.
        for tries in 1..=2 {
            let press = json!({"action": "emergency", "linkquality": 10 * n + tries});
            devices.publish(PRESS, press.to_string()).await;
            upstream.logged(&format!("on port {tls}"), tries).await;
        }
        assert!(centre.there().is_empty(), "something left the box");
    }
    let (certificate, key) = issue(&ours, "hz-test", false);
    std::fs::write(dir.join("box.pem"), certificate).unwrap();
    std::fs::write(dir.join("box.key"), key).unwrap();
    // A new alert does not wait for the end of a long pause.
    devices.publish(PRESS, json!({"action": "emergency", "linkquality": 200}).to_string()).await;
    assert_eq!(centre.event("cn.anju.alert.raised").await["data"]["rule"], "help");
    centre.event("cn.anju.alert.repeated").await;
    assert!(anju.stop() < Duration::from_secs(2));
}

/// Without a `ca` the certificates count that the system trusts.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_ca_of_its_own_the_systems_are_trusted() {
    let files = tempfile::tempdir().unwrap();
    let dir = files.path();
    let ours = authority("ours");
    std::fs::write(dir.join("ca.pem"), ours.pem()).unwrap();
    serve_as(dir, issue(&ours, "localhost", false));
    let (zigbee, tls) = (Broker::start(), crate::common::free_port());
    let upstream = Broker::with(
        tempfile::tempdir().unwrap(),
        &format!(
            "listener {tls} 127.0.0.1\ncertfile {0}/server.pem\nkeyfile {0}/server.key\n\
             allow_anonymous true\n",
            dir.display()
        ),
    );
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    let plain = format!("mqtt://127.0.0.1:{}", upstream.port);
    anju.configure(|config| config.replace(&plain, &format!("mqtts://localhost:{tls}")));
    anju.start();
    let export = recorded(&anju, "cn.anju.box.network").await;
    assert!(export.contains("invalid peer certificate"), "{export}");
    assert!(centre.there().is_empty(), "something left the box");
    anju.kill();
    anju.start_with(|command| {
        command.env("SSL_CERT_FILE", dir.join("ca.pem"));
    });
    centre.event("cn.anju.box.boot").await;
    assert!(anju.stop() < Duration::from_secs(2));
}

async fn recorded(anju: &Box_, what: &str) -> String {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let (_, export) = anju.anju(&["journal", "export"]);
        if export.contains(what) {
            return export;
        }
        assert!(Instant::now() < deadline, "no {what} in {export}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
