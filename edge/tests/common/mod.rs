//! A real box between real brokers: the binary itself, Mosquitto, and a subscriber that sees what
//! the centre would see. Everything waits for an event with a deadline, never for the clock.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![allow(dead_code, reason = "each test file uses its own part")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::PublishProperties;
use rumqttc::v5::{AsyncClient, Event, Incoming, MqttOptions};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::mpsc;

/// Longest wait for anything.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Whether this does not run in the lab's kernel, which is then said.
pub fn outside_the_lab() -> bool {
    let outside = std::env::var_os("ANJU_LAB").is_none_or(|lab| lab != "1");
    if outside {
        println!("skipped: not in the lab; drivers/lab/test.sh runs it");
    }
    outside
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A Mosquitto of the test's own.
pub struct Broker {
    child: Option<Child>,
    pub port: u16,
    dir: TempDir,
    /// Further lines of its configuration, after its first listener.
    more: String,
}

impl Broker {
    pub fn start() -> Self {
        Self::with(tempfile::tempdir().unwrap(), "")
    }

    /// One with further lines of configuration, and a folder that holds what they name.
    pub fn with(dir: TempDir, more: &str) -> Self {
        let mut broker = Self { child: None, port: free_port(), dir, more: more.to_owned() };
        broker.restart();
        broker
    }

    /// Starts it (again) on its port.
    pub fn restart(&mut self) {
        self.stop();
        // As root it would become a user who can not read the test's files.
        let config = format!(
            "user root\nper_listener_settings true\nset_tcp_nodelay true\n\
             max_queued_messages 0\nlistener {} 127.0.0.1\nallow_anonymous true\n{}",
            self.port, self.more
        );
        let path = self.dir.path().join("mosquitto.conf");
        std::fs::write(&path, config).unwrap();
        let program = ["/usr/sbin/mosquitto", "mosquitto"]
            .into_iter()
            .find(|p| Path::new(p).exists())
            .unwrap_or("mosquitto");
        let child = Command::new(program)
            .arg("-c")
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(self.dir.path().join("log")).unwrap())
            .spawn()
            .expect("mosquitto is installed (make test installs it)");
        self.child = Some(child);
        let deadline = Instant::now() + DEADLINE;
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "mosquitto does not listen");
            std::thread::yield_now();
        }
    }

    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Broker {
    /// Waits until a text was logged that often since its last start.
    pub async fn logged(&self, text: &str, times: usize) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap();
            if log.matches(text).count() >= times {
                return;
            }
            assert!(Instant::now() < deadline, "not {times} times {text} in {log}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A client of a broker: what it subscribed to comes out in order.
pub struct Peer {
    client: AsyncClient,
    received: mpsc::UnboundedReceiver<Event>,
    task: tokio::task::JoinHandle<()>,
}

/// A message that a peer got.
#[derive(Debug, Clone)]
pub struct Got {
    pub topic: String,
    pub retain: bool,
    pub payload: Vec<u8>,
    pub properties: Option<PublishProperties>,
}

impl Got {
    fn of(event: Event) -> Option<Self> {
        let Event::Incoming(Incoming::Publish(publish)) = event else { return None };
        Some(Self {
            topic: String::from_utf8(publish.topic.to_vec()).unwrap(),
            retain: publish.retain,
            payload: publish.payload.to_vec(),
            properties: publish.properties,
        })
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap()
    }
}

impl Peer {
    /// Connects and subscribes; returns once the broker took the subscriptions.
    pub async fn connect(name: &str, port: u16, filters: &[&str]) -> Self {
        let mut options = MqttOptions::new(name, "127.0.0.1", port);
        options.set_max_packet_size(Some(1 << 24)).set_keep_alive(Duration::from_secs(5));
        options.set_clean_start(true);
        let (client, mut eventloop) = AsyncClient::new(options, 10_000);
        let (tx, received) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            loop {
                match eventloop.poll().await {
                    Ok(event) => {
                        if tx.send(event).is_err() {
                            return;
                        }
                    }
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        });
        let mut peer = Self { client, received, task };
        for filter in filters {
            peer.client.subscribe(*filter, QoS::AtLeastOnce).await.unwrap();
            peer.wait(|event| matches!(event, Event::Incoming(Incoming::SubAck(_)))).await;
        }
        if filters.is_empty() {
            peer.wait(|event| matches!(event, Event::Incoming(Incoming::ConnAck(_)))).await;
        }
        peer
    }

    async fn wait(&mut self, fits: impl Fn(&Event) -> bool) -> Event {
        tokio::time::timeout(DEADLINE, async {
            loop {
                let event = self.received.recv().await.expect("the peer lives");
                if fits(&event) {
                    return event;
                }
            }
        })
        .await
        .expect("an answer of the broker in time")
    }

    pub async fn publish(&self, topic: &str, payload: impl Into<bytes::Bytes>) {
        self.client.publish(topic, QoS::AtLeastOnce, false, payload.into()).await.unwrap();
    }

    pub async fn publish_with(
        &self,
        topic: &str,
        retain: bool,
        payload: String,
        properties: PublishProperties,
    ) {
        let payload = bytes::Bytes::from(payload);
        self.client
            .publish_with_properties(topic, QoS::AtLeastOnce, retain, payload, properties)
            .await
            .unwrap();
    }

    /// Messages that are there already.
    pub fn there(&mut self) -> Vec<Got> {
        let events = std::iter::from_fn(|| self.received.try_recv().ok());
        events.filter_map(Got::of).collect()
    }

    /// The next message.
    pub async fn next(&mut self) -> Got {
        let is_publish = |event: &Event| matches!(event, Event::Incoming(Incoming::Publish(_)));
        Got::of(self.wait(is_publish).await).expect("waited for a publish")
    }

    /// The next message that fits.
    pub async fn until(&mut self, fits: impl Fn(&Got) -> bool) -> Got {
        tokio::time::timeout(DEADLINE, async {
            loop {
                let got = self.next().await;
                if fits(&got) {
                    return got;
                }
            }
        })
        .await
        .expect("the message in time")
    }

    /// The next event of a CloudEvents type.
    pub async fn event(&mut self, kind: &str) -> Value {
        self.until(|got| {
            serde_json::from_slice::<Value>(&got.payload).is_ok_and(|json| json["type"] == kind)
        })
        .await
        .json()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The daemon.
pub struct Box_ {
    child: Option<Child>,
    pub dir: TempDir,
    /// Port of its page.
    pub web: u16,
}

impl Box_ {
    /// A box with a help button, a door contact and a smoke detector on one broker and its centre
    /// on another.
    pub fn new(zigbee: u16, upstream: u16) -> Self {
        Self::of(
            &format!(
                r#"
[links.zigbee]
kind = "mqtt"
url = "mqtt://127.0.0.1:{zigbee}"
dialect = "zigbee2mqtt"
[[device]]
id = "sos"
kind = "fixed-alarm"
name = "卧室报警按钮"
room = "bedroom"
link = "zigbee"
address = "sos-button"
[[device]]
id = "door"
kind = "door-contact"
link = "zigbee"
address = "0x00158d0001e52fbb"
[[device]]
id = "smoke"
kind = "smoke"
link = "zigbee"
address = "smoke-kitchen"
"#
            ),
            upstream,
        )
    }

    /// A box with these links and devices and its centre on a broker.
    pub fn of(rows: &str, upstream: u16) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let wav = dir.path().join("wav");
        let web = free_port();
        let rows = rows.trim();
        let config = format!(
            r#"schema = 1
[box]
id = "hz-test"
[[person]]
id = "wang"
name = "王奶奶"
[[contact]]
id = "daughter"
name = "女儿"
role = "family"
{rows}
[upstream]
url = "mqtt://127.0.0.1:{upstream}"
heartbeat = "1s"
[speaker]
wav_dir = {wav:?}
[web]
listen = "127.0.0.1:{web}"
"#
        );
        std::fs::write(dir.path().join("anju.toml"), config).unwrap();
        Self { child: None, dir, web }
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Edits its configuration.
    pub fn configure(&self, edit: impl FnOnce(String) -> String) {
        let path = self.dir.path().join("anju.toml");
        let config = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, edit(config)).unwrap();
    }

    /// Lets it read its configuration anew.
    pub fn reload(&self) {
        self.signal(rustix::process::Signal::HUP);
    }

    pub fn start(&mut self) {
        self.start_with(|_| {});
    }

    /// Starts it and waits until its centre sees it, past what is left of the run before.
    pub async fn start_seen(&mut self, centre: &mut Peer) {
        centre.there();
        self.start();
        centre.until(|got| got.topic.ends_with("/status") && got.json()["state"] == "online").await;
    }

    /// Starts it in another environment.
    pub fn start_with(&mut self, change: impl FnOnce(&mut Command)) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anju"));
        command
            .args(["run", "--config"])
            .arg(self.dir.path().join("anju.toml"))
            .arg("--data")
            .arg(self.data())
            .stdout(Stdio::null());
        change(&mut command);
        self.child = Some(command.spawn().unwrap());
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// The journal's figures over the control socket; `None` while it does not listen.
    pub fn stats(&self) -> Option<Value> {
        use std::io::{BufRead, BufReader, Write};
        let mut stream =
            std::os::unix::net::UnixStream::connect(self.data().join("control.sock")).ok()?;
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(b"{\"ask\":\"stats\"}\n").ok()?;
        let line = BufReader::new(stream).lines().next()?.ok()?;
        serde_json::from_str(&line).ok()
    }

    /// What its journal holds of a type; nothing while it is just starting.
    pub fn recorded(&self, kind: &str) -> Vec<Value> {
        let (_, export) = self.anju(&["journal", "export"]);
        let entries = export.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        entries.filter(|entry| entry["type"] == kind).map(|entry| entry["data"].clone()).collect()
    }

    /// Waits until the journal holds an entry that fits.
    pub async fn until_recorded(&self, kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(found) = self.recorded(kind).into_iter().find(|data| fits(data)) {
                return found;
            }
            assert!(Instant::now() < deadline, "no {kind} came");
            // Each look is a process of its own.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// As a crash of the program would.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks it to stop; gives how long it took.
    pub fn stop(&mut self) -> Duration {
        let began = Instant::now();
        self.signal(rustix::process::Signal::TERM);
        let mut child = self.child.take().expect("it runs");
        let status = child.wait().unwrap();
        assert!(status.success(), "it ended with {status}");
        began.elapsed()
    }

    /// Sends it a signal.
    pub fn signal(&self, which: rustix::process::Signal) {
        signal(self.child.as_ref().expect("it runs"), which);
    }

    /// The acceptance of a device passes: it is begun, `act` makes the device do what it is there
    /// for, and the centre hears the result.
    pub async fn acceptance_passes<F: Future<Output = ()>>(
        &self,
        device: &str,
        centre: &mut Peer,
        act: impl FnOnce() -> F,
    ) -> Value {
        let (begun, told) = self.anju(&["acceptance", "start", device, "--json"]);
        assert!(begun, "the acceptance of {device} was refused: {told}");
        let of = |got: &Got, result: &str| {
            serde_json::from_slice::<Value>(&got.payload).is_ok_and(|json| {
                json["type"] == "cn.anju.box.acceptance"
                    && json["data"]["device"] == device
                    && (json["data"]["result"] == "started") == (result == "started")
            })
        };
        centre.until(|got| of(got, "started")).await;
        act().await;
        let ended = centre.until(|got| of(got, "ended")).await.json();
        assert_eq!(ended["data"]["result"], "passed", "{ended}");
        ended
    }

    /// Runs the command line and gives what it printed.
    pub fn anju(&self, arguments: &[&str]) -> (bool, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_anju"))
            .args(arguments)
            .arg("--data")
            .arg(self.data())
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    }
}

fn signal(child: &Child, which: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(child.id().cast_signed()).unwrap();
    rustix::process::kill_process(pid, which).unwrap();
}

impl Drop for Box_ {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
