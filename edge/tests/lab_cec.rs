//! A television at the other end of an HDMI cable, from the messages on the cable's CEC line, which a
//! real kernel emulates, through the real box to what the centre sees, with its acceptance; a deaf
//! one, a pulled cable, an adapter that vanishes. Runs inside the lab (`drivers/lab/test.sh`);
//! elsewhere it says that it was skipped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
#[path = "scenarios/home.rs"]
#[allow(dead_code, reason = "the scenarios use more of it")]
mod home;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use common::{Broker, DEADLINE};
use home::Home;
use serde_json::json;

const ROWS: &str = r#"
[links.lan]
kind = "net"
[[device]]
id = "television"
kind = "set-top-box"
link = "lan"
protocol = "cec"
address = "NEAR"
poll = "5s"
"#;

struct Television {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Television {
    /// Plugs one in; gives the device of the cable's near end too.
    fn plug_in() -> (Self, String) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../drivers/lab/television.py");
        let mut child = Command::new("python3")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (orders, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut television = Self { child, orders, answers: BufReader::new(answers) };
        let near = television.line();
        assert!(near.starts_with("/dev/cec"), "{near}");
        (television, near)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    fn tell(&mut self, order: &str) {
        writeln!(self.orders, "{order}").unwrap();
        assert_eq!(self.line(), "ok", "{order}");
    }
}

impl Drop for Television {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn is(home: &mut Home, on: bool) {
    home.observed("television", "power", json!({"on": on})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_television_on_the_cable_reaches_the_centre_and_is_accepted() {
    if common::outside_the_lab() {
        return;
    }
    let (mut television, near) = Television::plug_in();
    let mut home = Home::at(Broker::start(), &ROWS.replace("NEAR", &near), &[]).await;
    home.observed("television", "power", json!({"on": true, "baseline": true})).await;

    // By its own key, which it tells all; the other way it only begins to ask who is there.
    television.tell("standby");
    is(&mut home, false).await;
    television.tell("on");
    is(&mut home, true).await;
    // One that tells nobody is found by asking.
    television.tell("silently standby");
    is(&mut home, false).await;

    // What is malformed, what another one is meant by, and what is unknown changes nothing.
    for frame in ["0490", "04900755", "0400", "041A01", "049FAABBCCDDEEFF00112233445566"] {
        television.tell(&format!("send {frame}"));
    }
    television.tell("on");
    is(&mut home, true).await;

    // Without an answer it counts as off after two questions, and is back with the next answer.
    television.tell("deaf");
    is(&mut home, false).await;
    television.tell("hears");
    is(&mut home, true).await;
    television.tell("pull");
    is(&mut home, false).await;
    television.tell("plug");
    is(&mut home, true).await;
    assert!(!home.unread_has("cn.anju.observation.power"), "it was told once each");

    let mut orders = ["standby", "on"].into_iter().cycle();
    let press = async || television.tell(orders.next().expect("it goes on for ever"));
    home.accept("television", 3 * DEADLINE, press).await;

    // The adapter vanishes: the device is lost, and the box guards on.
    std::fs::write("/sys/bus/platform/drivers/vivid/unbind", "vivid.0").unwrap();
    let lost = home.observed("television", "online", json!({"online": false})).await;
    assert!(lost["reason"].as_str().unwrap().contains(&near), "{lost}");
    home.anju.stop();
}
