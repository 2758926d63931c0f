//! The radio of the lab: a message bus, the real Bluetooth daemon, and simulated devices on a
//! simulated air, of which a test tells what they do.

#![allow(dead_code, reason = "each test program uses its own part")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const DAEMON: &str = "/usr/libexec/bluetooth/bluetoothd";
const DEADLINE: Duration = Duration::from_secs(60);

/// What a test holds of it.
pub struct Air {
    devices: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    daemon: Child,
}

impl Air {
    /// Starts all of it; the adapter is there when it returns.
    pub fn start() -> Self {
        if !Path::new("/run/dbus/system_bus_socket").exists() {
            std::fs::create_dir_all("/run/dbus").unwrap();
            let bus = Command::new("dbus-daemon").args(["--system", "--fork"]).status().unwrap();
            assert!(bus.success(), "the lab's message bus did not start");
        }
        let daemon = daemon();
        let (devices, orders, answers) = devices();
        let mut air = Self { devices, orders, answers, daemon };
        air.answer("the start");
        air.wait_for_adapter();
        air
    }

    /// Tells the simulated devices what happens.
    pub fn tell(&mut self, line: &str) {
        writeln!(self.orders, "{line}").unwrap();
        self.answer(line);
    }

    fn answer(&mut self, to: &str) {
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim(), "ok", "{to}");
    }

    /// The daemon crashes and is started again.
    pub fn restart_daemon(&mut self) {
        self.daemon.kill().unwrap();
        self.daemon.wait().unwrap();
        self.daemon = daemon();
        self.wait_for_adapter();
    }

    /// The adapter is pulled out, with all devices gone silent.
    pub fn pull_adapter(&mut self) {
        self.devices.kill().unwrap();
        self.devices.wait().unwrap();
    }

    /// An adapter is plugged in again.
    pub fn plug_adapter(&mut self) {
        (self.devices, self.orders, self.answers) = devices();
        self.answer("the start");
        self.wait_for_adapter();
    }

    fn wait_for_adapter(&self) {
        let until = Instant::now() + DEADLINE;
        let found = || {
            let asked = Command::new("dbus-send")
                .args(["--system", "--print-reply", "--dest=org.bluez", "/org/bluez/hci0"])
                .args(["org.freedesktop.DBus.Properties.Get"])
                .args(["string:org.bluez.Adapter1", "string:Powered"])
                .output()
                .unwrap();
            asked.status.success()
        };
        while !found() {
            assert!(Instant::now() < until, "the daemon found no adapter");
        }
    }
}

impl Drop for Air {
    fn drop(&mut self) {
        for child in [&mut self.devices, &mut self.daemon] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn daemon() -> Child {
    Command::new(DAEMON)
        .arg("--nodetach")
        .stderr(Stdio::null())
        .spawn()
        .expect("bluez is installed (make test-lab installs it)")
}

fn devices() -> (Child, ChildStdin, BufReader<ChildStdout>) {
    let python = std::env::var("ANJU_LAB_PYTHON").expect("drivers/lab/test.sh names the Python");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../drivers/lab/wearables.py");
    let mut child = Command::new(python)
        .arg(script)
        .arg("vhci")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (orders, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    (child, orders, BufReader::new(answers))
}
