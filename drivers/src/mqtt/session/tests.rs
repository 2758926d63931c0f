//! The driver against a broker written by hand, which can refuse what a real one would not.

use std::sync::Arc;
use std::time::Duration;

use anju_model::config::{Link, MqttVersion, parse};
use anju_model::observation::{Fall, FallState, Help};
use anju_model::{Fact, LinkId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::driver::{Driver, Report};
use crate::mqtt::{MqttDriver, probe};

const DEADLINE: Duration = Duration::from_secs(30);

async fn soon<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, wait).await.expect("in time")
}

/// The broker's side of one connection.
struct Broker {
    stream: TcpStream,
    version: MqttVersion,
}

impl Broker {
    /// Takes the next connection.
    async fn accept(listener: &TcpListener, version: MqttVersion) -> Self {
        let (stream, _) = soon(listener.accept()).await.unwrap();
        let mut broker = Self { stream, version };
        assert_eq!(broker.packet().await.0, 0x10, "CONNECT");
        let accepted: &[u8] = match version {
            MqttVersion::V5 => &[0x20, 3, 0, 0, 0],
            MqttVersion::V311 => &[0x20, 2, 0, 0],
        };
        broker.stream.write_all(accepted).await.unwrap();
        broker
    }

    /// The next packet: its first byte and what follows its length.
    async fn packet(&mut self) -> (u8, Vec<u8>) {
        let first = soon(self.stream.read_u8()).await.unwrap();
        let (mut length, mut shift) = (0, 0);
        loop {
            let byte = self.stream.read_u8().await.unwrap();
            length |= usize::from(byte & 0x7F) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let mut rest = vec![0; length];
        self.stream.read_exact(&mut rest).await.unwrap();
        (first, rest)
    }

    /// Answers the next subscription with the code of each of its filters, which it gives.
    async fn subscribed(&mut self, code: impl Fn(&str) -> u8) -> Vec<String> {
        let (first, rest) = self.packet().await;
        assert_eq!(first, 0x82, "SUBSCRIBE");
        let properties = match self.version {
            MqttVersion::V5 => 1 + usize::from(rest[2]),
            MqttVersion::V311 => 0,
        };
        let (mut at, mut filters) = (2 + properties, Vec::new());
        while at < rest.len() {
            let length = usize::from(u16::from_be_bytes([rest[at], rest[at + 1]]));
            let filter = rest[at + 2..at + 2 + length].to_vec();
            filters.push(String::from_utf8(filter).unwrap());
            at += 2 + length + 1;
        }
        let mut answer = rest[..2].to_vec();
        if self.version == MqttVersion::V5 {
            answer.push(0);
        }
        answer.extend(filters.iter().map(|filter| code(filter)));
        self.send(0x90, &answer).await;
        filters
    }

    /// Publishes at QoS 0.
    async fn publish(&mut self, topic: &str, payload: &str) {
        let mut packet = u16::try_from(topic.len()).unwrap().to_be_bytes().to_vec();
        packet.extend(topic.as_bytes());
        if self.version == MqttVersion::V5 {
            packet.push(0);
        }
        packet.extend(payload.as_bytes());
        self.send(0x30, &packet).await;
    }

    async fn send(&mut self, first: u8, rest: &[u8]) {
        let length = u8::try_from(rest.len()).unwrap();
        assert!(length < 0x80);
        self.stream.write_all(&[&[first, length], rest].concat()).await.unwrap();
    }
}

const DEVICES: &str = r#"
[[device]]
id = "chair"
kind = "smart-wheelchair"
link = "it"
topic = "chair"
[[device.map]]
field = "help.state"
pointer = "/sos"
values = { true = "pressed" }
when = "change"
[[device.map]]
field = "fall.state"
pointer = "/event"
values = { fall = "suspected" }
[[device]]
id = "cane"
kind = "smart-cane"
link = "it"
topic = "cane"
[[device.map]]
field = "help.state"
pointer = "/sos"
values = { true = "pressed" }
"#;

struct Home {
    listener: TcpListener,
    link: MqttLink,
    driver: Arc<MqttDriver>,
}

impl Home {
    async fn new(version: MqttVersion) -> Self {
        Self::of(version, &format!("dialect = \"json\"\n{DEVICES}")).await
    }

    /// A link with the rest of its configuration.
    async fn of(version: MqttVersion, rows: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let text = format!(
            "schema = 1\n[box]\nid = \"hz-1\"\n[[person]]\nid = \"wang\"\n[links.it]\n\
             kind = \"mqtt\"\nurl = \"mqtt://127.0.0.1:{port}\"\n{rows}"
        );
        let home = parse(&text, "test").household.unwrap();
        let Some(Link::Mqtt(link)) = home.links.values().next() else { panic!("no link") };
        let link = MqttLink { version, ..link.clone() };
        let id = LinkId::new("it").unwrap();
        let devices: Vec<_> = home.devices.iter().collect();
        let driver = MqttDriver::new(&home.box_id, &id, link.clone(), &devices, &home.zones);
        Self { listener, link, driver: Arc::new(driver) }
    }

    fn start(&self) -> Run {
        let (sender, reports) = mpsc::channel(16);
        let (commands, receiver) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let context = Context::new(sender, receiver, stop.clone());
        let task = tokio::spawn(self.driver.clone().run(context));
        Run { reports, stop, task, _commands: commands }
    }
}

struct Run {
    reports: mpsc::Receiver<Report>,
    stop: CancellationToken,
    task: JoinHandle<Result<(), DriverError>>,
    _commands: mpsc::Sender<DeviceCommand>,
}

impl Run {
    async fn next(&mut self) -> Observation {
        soon(self.reports.recv()).await.expect("it runs").observation
    }

    async fn failure(self) -> String {
        let error = soon(self.task).await.unwrap().unwrap_err();
        assert!(matches!(error, DriverError::Link { .. }), "{error:?}");
        error.to_string()
    }
}

/// The refusals of MQTT 5 (3.9.3) and 3.1.1 (3.9.3).
const REFUSALS: [(MqttVersion, u8); 2] = [(MqttVersion::V5, 0x87), (MqttVersion::V311, 0x80)];

#[tokio::test]
async fn a_refused_subscription_is_no_connection() {
    for (version, refused) in REFUSALS {
        let home = Home::new(version).await;
        let run = home.start();
        let mut broker = Broker::accept(&home.listener, version).await;
        assert_eq!(broker.subscribed(|_| refused).await, ["cane", "chair"]);
        let error = run.failure().await;
        assert!(error.contains("refuses the subscription to `cane`, `chair`; give"), "{error}");
    }
}

#[tokio::test]
async fn a_filter_that_is_refused_deafens_only_its_devices() {
    let trouble = |said: &Observation| match &said.fact {
        Fact::Trouble(trouble) => (said.origin.device.to_string(), trouble.active),
        other => panic!("{other:?}"),
    };
    for (version, refused) in REFUSALS {
        let home = Home::new(version).await;
        let mut run = home.start();
        let mut broker = Broker::accept(&home.listener, version).await;
        broker.subscribed(|filter| if filter == "cane" { refused } else { 1 }).await;
        assert_eq!(trouble(&run.next().await), ("cane".to_owned(), true));
        broker.publish("chair", r#"{"sos":true}"#).await;
        assert_eq!(run.next().await.fact, Help::pressed().into());
        drop(broker);
        run.failure().await;
        // Told once, and told when it is over.
        let mut run = home.start();
        let mut broker = Broker::accept(&home.listener, version).await;
        broker.subscribed(|_| 1).await;
        assert_eq!(trouble(&run.next().await), ("cane".to_owned(), false));
        run.stop.cancel();
        soon(run.task).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn what_is_refused_is_asked_for_again() {
    let home = Home::new(MqttVersion::V5).await;
    let mut run = home.start();
    let mut broker = Broker::accept(&home.listener, MqttVersion::V5).await;
    broker.subscribed(|filter| if filter == "cane" { 0x87 } else { 1 }).await;
    assert!(matches!(run.next().await.fact, Fact::Trouble(t) if t.active));
    tokio::time::pause();
    tokio::time::advance(ASK_AGAIN).await;
    tokio::time::resume();
    let again = async {
        loop {
            let (first, rest) = broker.packet().await;
            if first == 0x82 {
                return rest;
            }
            broker.send(0xD0, &[]).await;
        }
    };
    let rest = soon(again).await;
    assert!(rest.ends_with(b"cane\x01") || rest.windows(4).any(|part| part == b"cane"));
    broker.send(0x90, &[rest[0], rest[1], 0, 1]).await;
    assert!(matches!(run.next().await.fact, Fact::Trouble(t) if !t.active));
}

#[tokio::test]
async fn a_flag_that_stays_is_one_call_over_two_connections() {
    let home = Home::new(MqttVersion::V5).await;
    for first in [true, false] {
        let mut run = home.start();
        let mut broker = Broker::accept(&home.listener, MqttVersion::V5).await;
        broker.subscribed(|_| 1).await;
        broker.publish("chair", r#"{"sos":true}"#).await;
        if first {
            assert_eq!(run.next().await.fact, Help::pressed().into());
        } else {
            // That it was heard.
            assert!(matches!(run.next().await.fact, Fact::Link(_)));
        }
        broker.publish("chair", r#"{"event":"fall","sos":true}"#).await;
        let fall = Fact::from(Fall { state: FallState::Suspected });
        assert_eq!(run.next().await.fact, fall);
        drop(broker);
        run.failure().await;
    }
}

#[tokio::test]
async fn a_phone_whose_connection_broke_is_told_as_lost_when_the_wait_is_over() {
    let phone = |id: &str| {
        format!(
            "[[device]]\nid = \"{id}\"\nkind = \"locator\"\nlink = \"it\"\naddress = \"a/{id}\"\n"
        )
    };
    let rows = format!("dialect = \"owntracks\"\n{}{}", phone("one"), phone("two"));
    let home = Home::of(MqttVersion::V5, &rows).await;
    let mut run = home.start();
    let mut broker = Broker::accept(&home.listener, MqttVersion::V5).await;
    broker.subscribed(|_| 1).await;
    broker.publish("owntracks/a/one", r#"{"_type":"lwt","tst":1}"#).await;
    broker.publish("owntracks/a/two", r#"{"_type":"location","batt":64}"#).await;
    let battery = run.next().await;
    assert!(matches!(battery.fact, Fact::Battery(_)), "nothing was told of the other: {battery:?}");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(30 * 60)).await;
    let lost = run.next().await;
    assert_eq!(lost.origin.device.as_str(), "one");
    assert!(matches!(lost.fact, Fact::Online(online) if !online.online));
    run.stop.cancel();
}

#[tokio::test]
async fn a_probe_asks_for_what_the_devices_are_heard_on() {
    for (version, refused) in REFUSALS {
        let home = Home::new(version).await;
        let filters = ["chair".to_owned()];
        for (code, sound) in [(1, true), (refused, false)] {
            let far = async {
                let mut broker = Broker::accept(&home.listener, version).await;
                broker.subscribed(|_| code).await;
                broker
            };
            let (answer, _broker) = tokio::join!(probe("hz-1-doctor", &home.link, &filters), far);
            assert_eq!(answer.is_ok(), sound, "{answer:?}");
            assert!(sound || answer.unwrap_err().contains("`chair`; give the user read rights"));
        }
    }
}
