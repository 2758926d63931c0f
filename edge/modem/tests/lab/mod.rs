//! The real ModemManager on a message bus of its own, with a simulated modem behind it.

#![allow(dead_code, reason = "each test uses its own part")]

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;

/// Longest wait for anything.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A child that ends with the test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A bus, ModemManager on it, and a modem.
pub struct Lab {
    /// The bus's address.
    pub address: String,
    name: String,
    modem: Option<(Killed, ChildStdin)>,
    manager: Option<Killed>,
    events: mpsc::UnboundedReceiver<Value>,
    /// Events that came while another was waited for.
    early: VecDeque<Value>,
    tell: mpsc::UnboundedSender<Value>,
    _bus: Killed,
    dir: tempfile::TempDir,
}

fn find(program: &str) -> PathBuf {
    ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        .iter()
        .map(|dir| Path::new(dir).join(program))
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("{program} is installed (make test installs it)"))
}

impl Lab {
    /// A bus alone.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("bus.conf");
        let socket = dir.path().join("bus");
        std::fs::write(
            &config,
            format!(
                "<busconfig><listen>unix:path={}</listen><auth>EXTERNAL</auth><policy \
                 context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/><allow \
                 eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
                socket.display()
            ),
        )
        .unwrap();
        let mut bus = Command::new(find("dbus-daemon"))
            .arg("--nofork")
            .arg("--print-address=1")
            .arg(format!("--config-file={}", config.display()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let (tell, events) = mpsc::unbounded_channel();
        let name =
            format!("anju{}{}", std::process::id(), dir.path().file_name().unwrap().display());
        let name = name.replace(|c: char| !c.is_ascii_alphanumeric(), "");
        Self {
            address: address.trim().to_owned(),
            name,
            modem: None,
            manager: None,
            events,
            early: VecDeque::new(),
            tell,
            _bus: Killed(bus),
            dir,
        }
    }

    /// Starts ModemManager.
    pub fn start_manager(&mut self) {
        let log = std::fs::File::create(self.dir.path().join("manager.log")).unwrap();
        let child = Command::new(find("ModemManager"))
            .args(["--test-session", "--test-enable", "--test-no-udev"])
            .args(["--test-no-suspend-resume", "--test-no-qrtr", "--debug"])
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env("DBUS_SYSTEM_BUS_ADDRESS", &self.address)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.manager = Some(Killed(child));
    }

    /// As a crash of ModemManager would.
    pub fn kill_manager(&mut self) {
        self.manager = None;
    }

    /// Sends ModemManager a signal.
    pub fn signal_manager(&self, signal: &str) {
        let pid = self.manager.as_ref().expect("it runs").0.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Plugs a modem in.
    pub async fn plug_in(&mut self) {
        self.plug_in_with("8986000000000000001").await;
    }

    /// Plugs a modem in that has a SIM card of that number, or `none`.
    pub async fn plug_in_with(&mut self, card: &str) {
        let script = self.dir.path().join("at_modem.py");
        std::fs::write(&script, include_str!("at_modem.py")).unwrap();
        let mut child = Command::new(find("python3"))
            .arg(script)
            .arg(&self.name)
            .arg(card)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (out, stdin) = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
        let tell = self.tell.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let _ = tell.send(serde_json::from_str(&line).unwrap());
            }
        });
        self.modem = Some((Killed(child), stdin));
        self.event("ready").await;
        self.announce().await;
    }

    /// Pulls it out.
    pub fn pull_out(&mut self) {
        self.modem = None;
    }

    /// Tells ModemManager of the modem's port, which udev would do.
    pub async fn announce(&self) {
        let bus = zbus::connection::Builder::address(self.address.as_str()).build().await.unwrap();
        let port = format!("abstract:{}", self.name);
        let call = async {
            // The daemon may still be starting.
            while bus
                .call_method(
                    Some("org.freedesktop.ModemManager1"),
                    "/org/freedesktop/ModemManager1",
                    Some("org.freedesktop.ModemManager1.Test"),
                    "SetProfile",
                    &("lab", "generic", vec![port.as_str()]),
                )
                .await
                .is_err()
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, call).await.expect("ModemManager answers");
    }

    /// Gives the modem an order, which it has taken then.
    pub async fn order(&mut self, order: &str) {
        let (_, stdin) = self.modem.as_mut().expect("it is plugged in");
        writeln!(stdin, "{order}").unwrap();
        stdin.flush().unwrap();
        self.event("ordered").await;
    }

    /// The next event of that name; others can be asked for later.
    pub async fn event(&mut self, name: &str) -> Value {
        loop {
            let at = self.early.iter().position(|event| event["event"] == name);
            if let Some(event) = at.and_then(|at| self.early.remove(at)) {
                return event;
            }
            let event = self.next(name).await;
            self.early.push_back(event);
        }
    }

    async fn next(&mut self, wanted: &str) -> Value {
        let next = tokio::time::timeout(DEADLINE, self.events.recv()).await;
        next.unwrap_or_else(|_| panic!("the modem says {wanted} in time")).expect("it lives")
    }

    /// What was told of that name and not looked at yet.
    pub fn there(&mut self, name: &str) -> Vec<Value> {
        while let Ok(event) = self.events.try_recv() {
            self.early.push_back(event);
        }
        let (found, early) = self.early.drain(..).partition(|event| event["event"] == name);
        self.early = early;
        found.into()
    }
}
