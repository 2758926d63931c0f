//! What is measured, started as it runs in a home: the built `anju` binary, a Mosquitto of the
//! bench's own, and the floors as processes of their own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::failure::{Failure, Outcome, io};
use crate::mqtt::{Client, DEADLINE};

/// The bench's folder, broker and program under test.
pub struct Lab {
    /// The product.
    pub anju: PathBuf,
    /// Folders of the scenes are made here, on the disk that is measured.
    pub dir: TempDir,
    /// The broker's port.
    pub port: u16,
    _broker: Process,
    /// How often each thing is measured.
    pub runs: usize,
    /// A short form, to see that everything works.
    pub quick: bool,
}

impl Lab {
    /// Starts the broker.
    pub fn begin(anju: PathBuf, target: &Path, quick: bool) -> Outcome<Self> {
        let dir = target.join("bench");
        std::fs::create_dir_all(&dir).map_err(io("making target/bench"))?;
        let dir = tempfile::tempdir_in(dir).map_err(io("making a folder in target/bench"))?;
        let port = free_port()?;
        let config = dir.path().join("mosquitto.conf");
        let text = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n\
             max_queued_messages 0\nmax_inflight_messages 200\n"
        );
        std::fs::write(&config, text).map_err(io("writing mosquitto.conf"))?;
        let sbin = Path::new("/usr/sbin/mosquitto");
        let program = if sbin.exists() { sbin } else { Path::new("mosquitto") };
        let mut command = Command::new(program);
        command.arg("-c").arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
        let broker = Process::start(&mut command)?;
        let deadline = Instant::now() + DEADLINE;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > deadline {
                return Err(Failure::Missed("mosquitto does not listen".into()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let runs = if quick { 3 } else { 5 };
        Ok(Self { anju, dir, port, _broker: broker, runs, quick })
    }

    /// A folder in the lab.
    pub fn folder(&self, name: &str) -> Outcome<PathBuf> {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(&path).map_err(io("making a folder"))?;
        Ok(path)
    }

    /// Of a full and a quick amount the one that holds.
    pub fn amount(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }

    /// The centre: sees all that goes upstream.
    pub async fn centre(&self, box_id: &str) -> Outcome<Client> {
        let filter = format!("anju/1/{box_id}/#");
        Client::connect(&format!("centre-{box_id}"), self.port, &[&filter]).await
    }

    /// A floor: this very program in another role. Returns when it says that it is ready.
    pub fn floor(&self, arguments: &[&str]) -> Outcome<Process> {
        let program = std::env::current_exe().map_err(io("finding the bench itself"))?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process::start(&mut command)?;
        let out = process.0.stdout.take();
        let mut line = String::new();
        if let Some(out) = out {
            BufReader::new(out).read_line(&mut line).map_err(io("starting a floor"))?;
        }
        if line.trim() == "ready" {
            return Ok(process);
        }
        Err(Failure::Missed(format!("the floor {} did not start", arguments.join(" "))))
    }
}

/// A port that nobody has.
fn free_port() -> Outcome<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(io("finding a port"))?;
    Ok(listener.local_addr().map_err(io("finding a port"))?.port())
}

/// A child that ends with its owner.
pub struct Process(Child);

impl Process {
    /// Starts it.
    pub fn start(command: &mut Command) -> Outcome<Self> {
        command.spawn().map(Self).map_err(io("starting a process"))
    }

    /// Its id.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Ends it as a power cut of the program would.
    pub fn kill(mut self) {
        self.end();
    }

    /// Asks it to stop and waits for it.
    pub fn stop(mut self) -> Outcome<()> {
        let pid = rustix::process::Pid::from_raw(self.pid().cast_signed());
        if let Some(pid) = pid {
            // One that is gone already needs no signal.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        self.0.wait().map_err(io("stopping a process")).map(|_| ())
    }

    /// Lets a floor end by itself, by closing its input.
    pub fn let_go(&mut self) -> Outcome<()> {
        drop(self.0.stdin.take());
        self.0.wait().map_err(io("ending a floor")).map(|_| ())
    }

    fn end(&mut self) {
        // One that has ended already needs no killing.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// A home and its box.
pub struct Home {
    /// The box's id.
    pub box_id: String,
    config: PathBuf,
    /// Its data folder.
    pub data: PathBuf,
    anju: PathBuf,
}

impl Home {
    /// A home with these devices, as TOML.
    pub fn new(lab: &Lab, box_id: &str, devices: &str) -> Outcome<Self> {
        let dir = lab.folder(box_id)?;
        let (port, wav) = (lab.port, dir.join("wav"));
        let text = format!(
            r#"schema = 1
[box]
id = "{box_id}"
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
base_topic = "{box_id}"
[upstream]
url = "mqtt://127.0.0.1:{port}"
heartbeat = "10s"
[speaker]
wav_dir = {wav:?}
{devices}"#
        );
        let config = dir.join("anju.toml");
        std::fs::write(&config, text).map_err(io("writing a configuration"))?;
        let data = dir.join("data");
        Ok(Self { box_id: box_id.to_owned(), config, data, anju: lab.anju.clone() })
    }

    /// A Zigbee device as TOML; its topic is its id.
    pub fn zigbee(id: &str, kind: &str) -> String {
        format!(
            "[[device]]\nid = \"{id}\"\nkind = \"{kind}\"\nname = \"{id}\"\nlink = \"zigbee\"\n\
             address = \"{id}\"\n"
        )
    }

    /// Starts the box.
    pub fn start(&self) -> Outcome<Process> {
        self.start_on(&[])
    }

    /// The same with more in its environment.
    pub fn start_on(&self, environment: &[(&str, &str)]) -> Outcome<Process> {
        let mut command = Command::new(&self.anju);
        command.arg("run").arg("--config").arg(&self.config).arg("--data").arg(&self.data);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.envs(environment.iter().copied());
        if std::env::var_os("RUST_LOG").is_none() {
            command.env("RUST_LOG", "error");
        }
        Process::start(&mut command)
    }

    /// The topic of a device.
    pub fn topic(&self, device: &str) -> String {
        format!("{}/{device}", self.box_id)
    }

    /// What the box's journal holds: one JSON object a line.
    pub fn export(&self) -> Outcome<String> {
        let output = Command::new(&self.anju)
            .args(["journal", "export", "--data"])
            .arg(&self.data)
            .stdin(Stdio::null())
            .output()
            .map_err(io("exporting the journal"))?;
        String::from_utf8(output.stdout)
            .map_err(|_| Failure::Missed("the export is not UTF-8".into()))
    }

    /// Presses a button again and again until the first call comes upstream; gives when it came.
    pub async fn press_until_heard(
        &self,
        devices: &Client,
        centre: &mut Client,
        button: &str,
        every: Duration,
    ) -> Outcome<Instant> {
        let topic = self.topic(button);
        let deadline = Instant::now() + DEADLINE;
        let mut n = 0;
        loop {
            devices.say(&topic, press(n))?;
            n += 1;
            let pause = tokio::time::Instant::now() + every;
            while let Ok(arrived) = tokio::time::timeout_at(pause, centre.next("a call")).await {
                let arrived = arrived?;
                if arrived.is_call() {
                    return Ok(arrived.at);
                }
            }
            if Instant::now() > deadline {
                return Err(Failure::Missed("no call came upstream within 30 s".into()));
            }
        }
    }
}

/// Lets what is still under way come to its end, and forgets it.
pub async fn settle(centre: &mut Client) {
    tokio::time::sleep(Duration::from_millis(500)).await;
    while centre.waiting().is_some() {}
}

/// A press as zigbee2mqtt publishes it; no two in a row are alike, so that none is merged.
pub fn press(n: usize) -> String {
    format!(
        "{{\"action\":\"emergency\",\"battery\":97,\"battery_low\":false,\"linkquality\":{}}}",
        n % 256
    )
}
