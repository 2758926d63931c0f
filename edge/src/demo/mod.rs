//! The simulated home: an embedded broker, devices that speak their real protocols to it, a meter at
//! the far end of a terminal, and the real daemon as a child process that does not know. Everything it uses lies in one temporary
//! folder and on loopback.

mod broker;
mod day;
mod meter;
mod peer;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use thiserror::Error;
use tokio::process::{Child, Command};

use meter::Meter;
use peer::Peer;

/// Why the demo did not go as it should.
#[derive(Debug, Error)]
pub enum DemoError {
    /// Input or output.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        error: std::io::Error,
    },
    /// The embedded broker did not start.
    #[error("the embedded broker: {0}")]
    Broker(String),
    /// Something that had to happen did not.
    #[error("{0}, within {1:?}")]
    Missed(&'static str, Duration),
    /// The daemon ended by itself.
    #[error("the daemon ended by itself: {0}")]
    Daemon(String),
}

fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> DemoError {
    move |error| DemoError::Io { what, error }
}

/// The folder of the demo; gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self, DemoError> {
        let path = std::env::temp_dir().join(format!("anju-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(io("making the demo's folder"))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What can not be removed is left to the system's cleaning of temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Where the page is, unless something else is there.
const PAGE_PORT: u16 = 8080;

/// The devices behind the broker; with the meter there are ten.
const DEVICES: &[(&str, &str, &str, &str)] = &[
    ("sos-bedroom", "fixed-alarm", "bedroom", "卧室报警按钮"),
    ("sos-bathroom", "fixed-alarm", "bathroom", "卫生间报警按钮"),
    ("pendant", "portable-alarm", "living-room", "随身报警器"),
    ("motion-living-room", "motion", "living-room", "客厅红外"),
    ("motion-bedroom", "motion", "bedroom", "卧室红外"),
    ("front-door", "door-contact", "hall", "入户门门磁"),
    ("smoke-kitchen", "smoke", "kitchen", "厨房烟感"),
    ("leak-bathroom", "water-leak", "bathroom", "卫生间水浸"),
    ("siren-hall", "siren", "hall", "门厅声光报警器"),
];

fn configuration(port: u16, page: u16, meter: &Path, wav: &Path) -> String {
    let mut text = format!(
        r#"schema = 1

[box]
id = "demo"
language = "zh-CN"
timezone = "Asia/Shanghai"

[[person]]
id = "wang"
name = "王奶奶"

[[contact]]
id = "daughter"
name = "女儿 王芳"
role = "family"
minutes_away = 40

[links.zigbee]
kind = "mqtt"
url = "mqtt://127.0.0.1:{port}"
dialect = "zigbee2mqtt"

[links.rs485]
kind = "serial"
path = {meter:?}
baud = 2400
parity = "even"

[[device]]
id = "electricity"
kind = "electricity-meter"
name = "智能电表"
room = "hall"
link = "rs485"
protocol = "dlt645"
address = "{address}"
poll = "5s"

[upstream]
url = "mqtt://127.0.0.1:{port}"
heartbeat = "10s"

[speaker]
wav_dir = {wav:?}

[web]
listen = "127.0.0.1:{page}"
"#,
        address = meter::ADDRESS,
    );
    for (id, kind, room, name) in DEVICES {
        text += &format!(
            "\n[[device]]\nid = \"{id}\"\nkind = \"{kind}\"\nname = \"{name}\"\nroom = \"{room}\"\n\
             link = \"zigbee\"\naddress = \"{id}\"\n"
        );
    }
    text
}

/// Runs the demo: a short day, then on until Ctrl-C; with `once` it ends after the alarm was
/// announced, seen upstream by an independent subscriber, and accepted through the command topic.
///
/// # Errors
/// [`DemoError`] when any of that does not happen.
pub async fn run(once: bool) -> Result<(), DemoError> {
    let folder = Folder::make()?;
    let wav = std::env::current_dir().unwrap_or_else(|_| folder.0.clone()).join("target/demo-wav");
    let port = broker::start()?;
    let page = page_port()?;
    let meter = Meter::start()?;
    let config = folder.0.join("anju.toml");
    std::fs::write(&config, configuration(port, page, meter.path(), &wav))
        .map_err(io("writing the configuration"))?;
    let mut centre =
        Peer::connect("demo-centre", port, &["anju/1/#", "demo-centre/replies"]).await?;
    let devices = Peer::connect("demo-devices", port, &["zigbee2mqtt/siren-hall/set"]).await?;
    let mut daemon = start_daemon(&config, &folder.0.join("data"))?;
    println!("Open http://127.0.0.1:{page}");
    println!("Simulated home, broker on mqtt://127.0.0.1:{port}");
    println!("  watch:  mosquitto_sub -V 5 -p {port} -t 'anju/1/#'");
    println!(
        "  press:  mosquitto_pub -p {port} -t zigbee2mqtt/pendant -m '{{\"action\":\"emergency\"}}'"
    );
    println!("  meter:  DL/T 645 number {} on {}", meter::ADDRESS, meter.path().display());
    println!("  speech: the sound card, or WAV files in {}", wav.display());
    let played = tokio::select! {
        played = day::play(&mut centre, &devices, &meter) => played,
        end = daemon.wait() => Err(DemoError::Daemon(format!("{end:?}"))),
    };
    if played.is_ok() && !once {
        println!("The home goes on; Ctrl-C ends it.");
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            end = daemon.wait() => return Err(DemoError::Daemon(format!("{end:?}"))),
        }
    }
    stop(&mut daemon).await;
    played
}

/// The page's usual port, or a free one if somebody has that.
fn page_port() -> Result<u16, DemoError> {
    let taken = |port| std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port));
    if taken(PAGE_PORT).is_ok() {
        return Ok(PAGE_PORT);
    }
    let free = taken(0).and_then(|free| free.local_addr()).map_err(io("finding a free port"))?;
    println!("Port {PAGE_PORT} is in use; the page takes {}.", free.port());
    Ok(free.port())
}

fn start_daemon(config: &Path, data: &Path) -> Result<Child, DemoError> {
    let program = std::env::current_exe().map_err(io("finding the program"))?;
    Command::new(program)
        .arg("run")
        .arg("--config")
        .arg(config)
        .arg("--data")
        .arg(data)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(io("starting the daemon"))
}

async fn stop(daemon: &mut Child) {
    let pid = daemon.id().and_then(|id| i32::try_from(id).ok());
    if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
        // One that is gone already needs no signal.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    if tokio::time::timeout(Duration::from_secs(3), daemon.wait()).await.is_err() {
        let _ = daemon.kill().await;
    }
}
