//! The page of a real box: live when a button is pressed, never in the guard's way.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use rumqttc::v5::mqttbytes::v5::PublishProperties;
use serde_json::Value;

use crate::common::{Box_, Broker, DEADLINE, Peer, free_port};

/// Asks the page; an error while it is not there.
pub fn get(port: u16, target: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(DEADLINE))?;
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    Ok((status, body))
}

/// Asks until the answer fits.
pub fn until(port: u16, target: &str, fits: impl Fn(u16, &str) -> bool) -> String {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let answer = get(port, target);
        if let Ok((status, body)) = &answer
            && fits(*status, body)
        {
            return body.clone();
        }
        assert!(Instant::now() < deadline, "{target}: {answer:?}");
        std::thread::yield_now();
    }
}

struct Live {
    stream: TcpStream,
    buffer: String,
}

impl Live {
    fn open(port: u16) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(b"GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        Self { stream, buffer: String::new() }
    }

    fn event(&mut self, name: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let marker = format!("event: {name}\ndata: ");
        loop {
            while let Some(at) = self.buffer.find(&marker)
                && let Some(end) = self.buffer[at..].find("\n\n")
            {
                let data = self.buffer[at + marker.len()..at + end].to_owned();
                self.buffer.drain(..at + end);
                let data: Value = serde_json::from_str(&data).unwrap();
                if fits(&data) {
                    return data;
                }
            }
            let mut part = [0; 16_384];
            let count = self.stream.read(&mut part).expect("an event in time");
            assert!(count > 0, "the stream ended");
            self.buffer += &String::from_utf8_lossy(&part[..count]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_is_on_open_pages_within_200_ms() {
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    anju.start();
    until(anju.web, "/healthz", |status, body| status == 200 && body.contains("link:zigbee"));
    // What the broker kept tells that the box listens, but is not a sign of life.
    let smoke = |battery: u8| format!(r#"{{"smoke": false, "battery": {battery}}}"#);
    let kept = PublishProperties::default();
    devices.publish_with("zigbee2mqtt/smoke-kitchen", true, smoke(80), kept).await;
    centre.event("cn.anju.observation.smoke").await;
    let mut live = Live::open(anju.web);
    let status = live.event("status", |_| true);
    assert_eq!(status["devices"][1]["presence"], "never_heard");
    // The first message after a start may be what the bridge remembers; the next is the device's.
    devices.publish("zigbee2mqtt/smoke-kitchen", smoke(80)).await;
    devices.publish("zigbee2mqtt/smoke-kitchen", smoke(79)).await;
    live.event("device", |device| device["presence"] == "online");

    let pressed = Instant::now();
    devices.publish("zigbee2mqtt/sos-button", r#"{"action": "emergency"}"#).await;
    let alert = live.event("alert", |_| true);
    let took = pressed.elapsed();
    println!("from the press to the open page: {took:?}");
    assert!(took < Duration::from_millis(200), "{took:?}");
    assert_eq!((&alert["class"], &alert["stage"]), (&"alarm".into(), &"searching".into()));
    assert_eq!(alert["device"], "卧室报警按钮");

    let page = until(anju.web, "/", |_, body| body.contains("data-mood=\"alarm\""));
    assert!(page.contains("王奶奶家：卧室的报警按钮被按下"));
    let smoke = until(anju.web, "/api/devices/smoke", |status, _| status == 200);
    let smoke: Value = serde_json::from_str(&smoke).unwrap();
    assert_eq!((&smoke["battery_percent"], &smoke["presence"]), (&79.into(), &"online".into()));
    assert_eq!(smoke["readings"][0]["fact"]["alarm"], false);
    let id = alert["id"].as_str().unwrap();
    assert!(anju.anju(&["accept", id, "--minutes", "7", "--by", "daughter"]).0);
    let accepted = live.event("alert", |alert| alert["stage"] == "accepted");
    let helper = &accepted["helpers"][0];
    assert_eq!((&helper["name"], &helper["minutes"]), (&"女儿".into(), &7.into()));
    assert!(anju.anju(&["close", id, "--outcome", "test"]).0);
    live.event("alert_over", |over| over["id"] == id);
    until(anju.web, "/api/status", |_, body| {
        let status: Value = serde_json::from_str(body).unwrap();
        status["upstream"]["backlog"] == 0 && status["journal"]["bytes"] != 0
    });
    let figures = until(anju.web, "/metrics", |status, _| status == 200);
    for figure in ["anju_alerts_open{class=\"alarm\"} 0", "anju_upstream_connected 1"] {
        assert!(figures.contains(figure), "{figure} in {figures}");
    }
    assert!(anju.stop() < Duration::from_secs(2), "also with an open page");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_told_and_stops_nothing() {
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    let squatter = TcpListener::bind(("127.0.0.1", anju.web)).unwrap();
    anju.start();
    let fault = centre.event("cn.anju.box.fault").await;
    assert_eq!((&fault["data"]["part"], &fault["data"]["active"]), (&"page".into(), &true.into()));
    let press = async {
        loop {
            devices.publish("zigbee2mqtt/sos-button", r#"{"action": "emergency"}"#).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    tokio::select! {
        _ = centre.until(|got| got.json()["data"]["rule"] == "help") => {}
        () = press => {}
    }
    drop(squatter);
    until(anju.web, "/healthz", |status, _| status == 200);
    let mended = centre.until(|got| got.json()["data"]["part"] == "page").await.json();
    assert_eq!(mended["data"]["active"], false);

    // A reload moves it, and shows what of the new configuration can not be used.
    let file = anju.dir.path().join("anju.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let moved = free_port();
    let config = config.replace(&format!(":{}\"", anju.web), &format!(":{moved}\""));
    std::fs::write(&file, config + "\n[[device]]\nid = \"odd\"\nkind = \"no-such-kind\"\n")
        .unwrap();
    anju.signal(rustix::process::Signal::HUP);
    until(moved, "/api/status", |_, body| body.contains("no-such-kind"));
    assert!(get(anju.web, "/").is_err(), "the old port is free");
    assert!(anju.stop() < Duration::from_secs(2));
}
