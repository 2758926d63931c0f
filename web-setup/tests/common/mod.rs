//! A box that the tests make up, behind the real server on a real socket.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![allow(dead_code, reason = "each test file uses its own part")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anju_model::observation::{Climate, Contact, Help, Motion};
use anju_model::{
    AlertId, BoxId, Class, Clock, ContactId, DeviceId, DeviceKind, Fact, Language, LinkId, RoomId,
    Rule,
};
use anju_web_setup::{
    Activity, Ago, Alert, AlertStage, BoxView, Channel, Device, Health, Helper, Journal, Limits,
    Link, Metric, Occupancy, OccupancyState, Part, Person, Plan, Presence, Reading, Standing,
    Status, Try, Upstream, Watch, Words,
};
use jiff::civil;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Longest wait for anything.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// The made-up box.
pub struct Made {
    status: Mutex<Status>,
    changes: watch::Sender<u64>,
}

impl Made {
    /// Changes it, as a device or a rule would.
    pub fn change(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.status.lock().unwrap());
        self.changes.send_modify(|count| *count += 1);
    }
}

impl BoxView for Made {
    fn status(&self) -> Status {
        self.status.lock().unwrap().clone()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn plan(&self, at: civil::Time, rule: &Rule) -> Option<Plan> {
        let status = self.status.lock().unwrap();
        status.guarding_since?;
        let one = |after_seconds, id: &str, name: &str, ways: Vec<Channel>| Try {
            after_seconds,
            contact: ContactId::new(id).unwrap(),
            name: name.to_owned(),
            minutes_away: (after_seconds == 0).then_some(40),
            ways,
        };
        let never = |name: &str| Channel {
            name: name.to_owned(),
            contact: None,
            proved: None,
            checked: None,
            answered: None,
            failing: None,
        };
        let mut dead = never("mail");
        dead.proved = Some(ago(90_000));
        dead.failing = Some("the mail server answered 535: wrong password".into());
        Some(Plan {
            at: at.strftime("%H:%M").to_string(),
            on: "2026-11-24".into(),
            rule: rule.to_string(),
            class: Class::Alarm,
            tries: vec![
                one(0, "daughter", "女儿 王芳", status.channels.clone()),
                one(0, "centre", "居家养老服务中心", vec![never("centre")]),
                one(60, "neighbour", "邻居 老李", vec![dead, never("wecom")]),
            ],
        })
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![Metric::gauge("anju_guarding_seconds", "Time on guard.", 60.0)]
    }

    fn health(&self) -> Health {
        let guarding = self.status.lock().unwrap().guarding_since.is_some();
        let part = Part { name: "journal".into(), ok: true, detail: "in order".into() };
        Health { guarding, parts: vec![part] }
    }
}

pub fn ago(seconds: u64) -> Ago {
    Ago { seconds, at: Some("2026-11-23T13:04:05Z".parse().unwrap()) }
}

pub fn device(id: &str, kind: DeviceKind, name: &str, fact: Option<Fact>) -> Device {
    Device {
        id: DeviceId::new(id).unwrap(),
        name: name.to_owned(),
        kind,
        unsupervised: false,
        room: Some(RoomId::new("bedroom").unwrap()),
        link: LinkId::new("zigbee").unwrap(),
        presence: Presence::Online,
        last_heard: Some(ago(300)),
        battery_percent: Some(91),
        battery_low: false,
        link_quality_percent: Some(60),
        readings: fact
            .map(|fact| Reading { fact, ago: ago(300), baseline: false })
            .into_iter()
            .collect(),
    }
}

pub fn alarm() -> Alert {
    Alert {
        id: AlertId::from_wire("hz-test/1/7").unwrap(),
        class: Class::Alarm,
        rule: "help".into(),
        text: "王奶奶家：卧室的报警按钮被按下".into(),
        stage: AlertStage::Searching,
        raised: ago(3),
        count: 1,
        test: false,
        device: Some("卧室报警按钮".into()),
        room: Some(RoomId::new("bedroom").unwrap()),
        helpers: vec![Helper { name: "女儿 王芳".into(), minutes: Some(15), arrived: false }],
    }
}

/// A calm home.
pub fn calm() -> Status {
    Status {
        box_id: BoxId::new("hz-test").unwrap(),
        version: "0.1.0".into(),
        language: Language::ZhCn,
        timezone: "Asia/Shanghai".into(),
        now: "2026-11-23T13:09:05Z".parse().unwrap(),
        clock: Clock::Synchronised,
        guarding_since: Some(ago(7200)),
        persons: vec![Person { id: "wang".parse_id(), name: "王奶奶".into() }],
        occupancy: Occupancy { state: OccupancyState::AtHome, since: Some(ago(900)), until: None },
        last_activity: Some(Activity { ago: ago(40), device: "客厅红外".into(), room: None }),
        alerts: Vec::new(),
        devices: vec![
            device("sos", DeviceKind::FixedAlarm, "卧室报警按钮", Some(Help::pressed().into())),
            device(
                "door",
                DeviceKind::DoorContact,
                "入户门门磁",
                Some(Contact { open: false }.into()),
            ),
            device("pir", DeviceKind::Motion, "客厅红外", Some(Motion { moving: true }.into())),
            device(
                "climate",
                DeviceKind::Climate,
                "卧室温湿度计",
                Some(Climate { celsius: Some(21.46), ..Climate::default() }.into()),
            ),
        ],
        links: vec![Link {
            id: LinkId::new("zigbee").unwrap(),
            kind: "mqtt".into(),
            up: true,
            reason: None,
        }],
        uplinks: anju_web_setup::Uplinks::default(),
        channels: vec![Channel {
            name: "ntfy".into(),
            contact: Some("女儿 王芳".into()),
            proved: Some(ago(86_400)),
            checked: Some(ago(7200)),
            answered: None,
            failing: None,
        }],
        journal: Journal {
            recording: true,
            reason: None,
            epoch: 1,
            newest_seq: 4711,
            durable_seq: 4711,
            bytes: 3 << 20,
        },
        upstream: Some(Upstream {
            connected: true,
            since: Some(ago(60)),
            reason: None,
            backlog: 0,
            alert_backlog: 0,
        }),
        rules: vec![Watch {
            rule: "left-home".into(),
            standing: Standing::Off,
            why: Some(Words {
                zh_cn: "没有所需的设备", en: "no device tells what it needs"
            }),
        }],
        kit_missing: Vec::new(),
        config_faults: Vec::new(),
    }
}

trait ParseId {
    fn parse_id(&self) -> anju_model::PersonId;
}

impl ParseId for str {
    fn parse_id(&self) -> anju_model::PersonId {
        anju_model::PersonId::new(self).unwrap()
    }
}

/// The server with its box.
pub struct Served {
    pub made: Arc<Made>,
    pub address: SocketAddr,
    stop: CancellationToken,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub async fn serve(status: Status, limits: Limits) -> Served {
    let (changes, _) = watch::channel(0);
    let made = Arc::new(Made { status: Mutex::new(status), changes });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    tokio::spawn(anju_web_setup::serve(listener, made.clone(), limits, stop.clone()));
    Served { made, address, stop }
}

/// An answer as it came over the wire.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (own, value) = line.split_once(": ")?;
            own.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Served {
    /// Sends bytes and reads until the far side closes.
    pub async fn send(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // A server that refuses early may close before all of it was written.
        let _ = stream.write_all(request).await;
        let mut all = Vec::new();
        tokio::time::timeout(DEADLINE, async {
            let mut part = [0; 8192];
            while let Ok(count @ 1..) = stream.read(&mut part).await {
                all.extend_from_slice(&part[..count]);
            }
        })
        .await
        .expect("the server closes");
        parse(&all)
    }

    /// Asks with more header lines.
    pub async fn ask(&self, method: &str, target: &str, lines: &str) -> Answer {
        let host = if lines.to_ascii_lowercase().contains("host:") {
            String::new()
        } else {
            format!("Host: {}\r\n", self.address)
        };
        let request =
            format!("{method} {target} HTTP/1.1\r\n{host}Connection: close\r\n{lines}\r\n");
        self.send(request.as_bytes()).await
    }

    pub async fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, "").await
    }
}

fn parse(all: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(all);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let mut answer = Answer { status, head: head.to_owned(), body: String::new() };
    answer.body = if answer.header("transfer-encoding") == Some("chunked") {
        unchunk(body)
    } else {
        body.to_owned()
    };
    answer
}

fn unchunk(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        if size == 0 || rest.len() < size {
            break;
        }
        whole += &rest[..size];
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}

/// An open live stream.
pub struct Live {
    stream: TcpStream,
    buffer: String,
}

impl Live {
    pub async fn open(served: &Served) -> Self {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        let request = format!("GET /api/live HTTP/1.1\r\nHost: {}\r\n\r\n", served.address);
        stream.write_all(request.as_bytes()).await.unwrap();
        Self { stream, buffer: String::new() }
    }

    /// The data of the next event of that name.
    pub async fn event(&mut self, name: &str) -> serde_json::Value {
        let marker = format!("event: {name}\ndata: ");
        tokio::time::timeout(DEADLINE, async {
            loop {
                if let Some(at) = self.buffer.find(&marker)
                    && let Some(end) = self.buffer[at..].find("\n\n")
                {
                    let data = self.buffer[at + marker.len()..at + end].to_owned();
                    self.buffer.drain(..at + end + 2);
                    return serde_json::from_str(&data).unwrap();
                }
                let mut part = [0; 8192];
                let count = self.stream.read(&mut part).await.unwrap();
                assert!(count > 0, "the stream ended; it had {:?}", self.buffer);
                self.buffer += &String::from_utf8_lossy(&part[..count]);
            }
        })
        .await
        .expect("an event in time")
    }
}
