//! A wall clock that jumps a year either way, and a box that has none when it starts. The wall
//! clock of the daemon is made by libfaketime, which reads a file; its other clocks are real.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::common::{Box_, Broker, DEADLINE, Peer};

const PRESS: &str = "zigbee2mqtt/sos-button";
const DOOR: &str = "zigbee2mqtt/0x00158d0001e52fbb";

/// Where Debian puts it, by architecture.
fn library() -> Option<String> {
    let folders = std::fs::read_dir("/usr/lib").ok()?;
    folders
        .flatten()
        .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
        .find(|path| path.exists())
        .map(|path| path.display().to_string())
}

struct Faked {
    file: std::path::PathBuf,
    library: String,
}

impl Faked {
    fn new(dir: &Path) -> Self {
        let library = library().expect("libfaketime; `make test` installs the package faketime");
        Self { file: dir.join("clock"), library }
    }

    /// Sets the clock: an offset such as `+365d`, or a time after `@` from which it goes on.
    fn set(&self, to: &str) {
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("{to}\n")).unwrap();
        std::fs::rename(new, &self.file).unwrap();
    }

    fn apply(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
}

async fn publish(devices: &Peer, n: u32) {
    let press = json!({"action": "emergency", "linkquality": n}).to_string();
    devices.publish(PRESS, press).await;
}

async fn press(devices: &Peer, centre: &mut Peer, n: u32) -> serde_json::Value {
    publish(devices, n).await;
    let kind = if n == 1 { "cn.anju.alert.raised" } else { "cn.anju.alert.repeated" };
    centre.event(kind).await
}

/// The first entry with a new time is the one that tells of it.
fn each_jump_is_told_first(export: &str) {
    let entries: Vec<Value> = export.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let offset = |entry: &Value| {
        let time: jiff::Timestamp = entry["time"].as_str().unwrap().parse().unwrap();
        time.as_millisecond() - entry["mono_ms"].as_i64().unwrap()
    };
    let mut jumps = 0;
    for pair in entries.windows(2) {
        if (offset(&pair[1]) - offset(&pair[0])).abs() > 86_400_000 {
            assert_eq!(pair[1]["type"], "cn.anju.box.clock", "{pair:?}");
            jumps += 1;
        }
    }
    assert_eq!(jumps, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_a_year_either_way_stops_nothing() {
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    let clock = Faked::new(anju.dir.path());
    clock.set("+0");
    anju.start_with(|command| clock.apply(command));
    devices.publish_with(DOOR, true, r#"{"contact":true}"#.into(), Default::default()).await;
    centre.event("cn.anju.observation.contact").await;
    let first = press(&devices, &mut centre, 1).await;
    for (n, jump, days) in [(2, "+365d", 365), (3, "-365d", -730), (4, "+0", 365)] {
        clock.set(jump);
        publish(&devices, n).await;
        // They are of two lanes, and come in any order.
        let (mut again, mut told) = (None, false);
        while again.is_none() || !told {
            let event = centre.until(|got| !got.topic.ends_with("/status")).await.json();
            match event["type"].as_str().unwrap() {
                "cn.anju.alert.repeated" => again = Some(event),
                "cn.anju.box.clock" => {
                    let by = event["data"]["jump_ms"].as_i64().unwrap() / 86_400_000;
                    told |= (by - days).abs() <= 1;
                }
                _ => {}
            }
        }
        assert_eq!(again.unwrap()["data"]["alert"], first["data"]["alert"], "it is still open");
    }
    // Nothing was raised by the jumps: no silence of a year, no device that was not heard.
    let (_, export) = anju.anju(&["journal", "export"]);
    each_jump_is_told_first(&export);
    let raised: Vec<&str> =
        export.lines().filter(|line| line.contains("\"type\":\"cn.anju.alert.raised\"")).collect();
    let rules = raised.iter().filter(|line| !line.contains("\"rule\":\"help\"")).count();
    assert_eq!(rules, 0, "{raised:#?}");
    // A start in another year goes on with the open alert.
    anju.kill();
    clock.set("+365d");
    anju.start_with(|command| clock.apply(command));
    let again = press(&devices, &mut centre, 5).await;
    assert_eq!(again["data"]["alert"], first["data"]["alert"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_clock_at_the_start_an_alarm_is_an_alarm() {
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    let clock = Faked::new(anju.dir.path());
    clock.set("@1970-01-01 00:01:00");
    anju.start_with(|command| clock.apply(command));
    devices.publish_with(DOOR, true, r#"{"contact":true}"#.into(), Default::default()).await;
    centre.event("cn.anju.observation.contact").await;
    let raised = press(&devices, &mut centre, 1).await;
    assert_eq!(raised["data"]["clock"], "unknown");
    // An old command can not be told from a new one, so it is taken; a kept one never is.
    let command = |id: &str| {
        json!({"specversion": "1.0", "id": id, "type": "cn.anju.command.accept", "source": "/c",
            "time": "2026-11-23T13:04:05Z", "data": {"by": "operator", "alert": raised["data"]["alert"]}})
        .to_string()
    };
    centre.publish("anju/1/hz-test/commands", command("c-1")).await;
    let reply = centre.until(|got| got.topic.ends_with("/replies")).await.json();
    assert_eq!(reply["ok"], true, "{reply}");
    clock.set("+0");
    let told = centre.event("cn.anju.box.clock").await;
    assert_ne!(told["data"]["state"], "unknown");
    let again = press(&devices, &mut centre, 2).await;
    assert_ne!(again["data"]["clock"], "unknown");
    assert_eq!(again["data"]["alert"], raised["data"]["alert"]);
    assert!(anju.stop() < Duration::from_secs(2));
}

/// A server whose certificate holds from 2026 on; its authority is written into the folder.
fn acceptor(dir: &Path) -> TlsAcceptor {
    let mut ours = CertificateParams::new(Vec::new()).unwrap();
    ours.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ours = CertifiedIssuer::self_signed(ours, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(dir.join("ca.pem"), ours.pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2026, 1, 1);
    let certificate = params.signed_by(&key, &ours).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Takes connections until somebody publishes; whoever only listens waits.
async fn published(listener: TcpListener, acceptor: TlsAcceptor) -> String {
    let (tell, mut told) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, tell) = (acceptor.clone(), tell.clone());
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let (mut heard, mut bytes) = (String::new(), [0; 4096]);
                while let Ok(count @ 1..) = stream.read(&mut bytes).await {
                    heard += &String::from_utf8_lossy(&bytes[..count]);
                    if heard.starts_with("POST") && heard.contains("\"topic\"") {
                        let _ =
                            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
                        let _ = tell.send(heard.clone()).await;
                    }
                }
            });
        }
    });
    tokio::time::timeout(DEADLINE, told.recv()).await.expect("nothing was pushed").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_clock_at_the_start_the_family_is_pushed_to_over_tls() {
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    let acceptor = acceptor(anju.dir.path());
    let listener = TcpListener::bind("localhost:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    anju.configure(|config| {
        let config =
            config.replace("role = \"family\"", "role = \"family\"\nntfy_topic = \"phone\"");
        format!("{config}\n[channels.ntfy]\nurl = {url:?}\n")
    });
    let clock = Faked::new(anju.dir.path());
    clock.set("@1970-01-01 00:01:00");
    let ca = anju.dir.path().join("ca.pem");
    anju.start_with(|command| {
        clock.apply(command);
        command.env("SSL_CERT_FILE", ca);
    });
    devices.publish_with(DOOR, true, r#"{"contact":true}"#.into(), Default::default()).await;
    centre.event("cn.anju.observation.contact").await;
    publish(&devices, 1).await;
    let message = published(listener, acceptor).await;
    assert!(message.contains("\"topic\":\"phone\""), "{message}");
    assert!(anju.stop() < Duration::from_secs(2));
}
