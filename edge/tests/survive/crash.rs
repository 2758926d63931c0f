//! Killed, or without power, at any moment under load, round after round on the same data.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::chance::{Chance, rounds};
use crate::common::{Box_, Broker, DEADLINE, Peer};
use crate::ledger::{Ledger, WINDOW};
use crate::loop_disk::{self, Disk};

const PRESS: &str = "zigbee2mqtt/sos-button";
const DOOR: &str = "zigbee2mqtt/0x00158d0001e52fbb";
const SMOKE: &str = "zigbee2mqtt/smoke-kitchen";

/// A home under load, and who listens to it.
struct Storm {
    chance: Chance,
    anju: Box_,
    devices: Peer,
    centre: Peer,
    ledger: Ledger,
    presses: u64,
    _brokers: [Broker; 2],
}

impl Storm {
    async fn new(what: &str, prepare: impl FnOnce(&Box_)) -> Self {
        let (zigbee, upstream) = (Broker::start(), Broker::start());
        let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
        let devices = Peer::connect("devices", zigbee.port, &[]).await;
        let mut anju = Box_::new(zigbee.port, upstream.port);
        prepare(&anju);
        anju.start();
        let mut ledger = Ledger::default();
        // From here on the broker keeps for the box whatever it does not acknowledge.
        let mut heard = false;
        while !heard {
            devices.publish(DOOR, r#"{"contact":true}"#).await;
            let got = centre.next().await;
            heard = ledger.take(&got).is_some_and(|e| e["type"] == "cn.anju.observation.contact");
        }
        let chance = Chance::new(what);
        let brokers = [zigbee, upstream];
        Self { chance, anju, devices, centre, ledger, presses: 0, _brokers: brokers }
    }

    /// Presses, doors and readings in bursts, for a random time.
    async fn load(&mut self, shortest: u64, longest: u64) {
        let millis = shortest + self.chance.below(longest - shortest);
        let until = Instant::now() + Duration::from_millis(millis);
        while Instant::now() < until {
            for _ in 0..self.chance.below(12) {
                let n = self.chance.next() >> 12;
                match self.chance.below(4) {
                    0 => {
                        self.presses += 1;
                        let press = json!({"action": "emergency", "linkquality": self.presses});
                        self.devices.publish(PRESS, press.to_string()).await;
                    }
                    1 => {
                        let door = json!({"contact": n.is_multiple_of(2), "battery": n % 100});
                        self.devices.publish(DOOR, door.to_string()).await;
                    }
                    2 => {
                        let battery = json!({"smoke": false, "battery": n % 101});
                        self.devices.publish(SMOKE, battery.to_string()).await;
                    }
                    _ => {
                        self.devices
                            .publish(DOOR, json!({"tamper": n.is_multiple_of(2)}).to_string())
                            .await
                    }
                }
            }
            self.listen();
            if let Some(stats) = self.anju.stats() {
                let number = |field: &str| stats[field].as_u64();
                if let (Some(epoch), Some(durable)) = (number("epoch"), number("durable")) {
                    self.ledger.promise((epoch, durable));
                }
            }
            tokio::time::sleep(Duration::from_millis(self.chance.below(20))).await;
        }
    }

    fn listen(&mut self) {
        for got in self.centre.there() {
            self.ledger.take(&got);
        }
    }

    fn start(&mut self) {
        // What is on its way from before the fall is no repeat.
        self.listen();
        self.ledger.restarted();
        let _ = std::fs::remove_dir_all(self.anju.dir.path().join("wav"));
        self.anju.start();
    }

    /// Everything is durable, upstream, and there once; the search for help still goes on.
    async fn settle(&mut self) {
        while self.anju.stats().is_none() {
            assert!(self.anju.runs(), "it ended by itself");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.all_told().await;
        assert!(self.anju.stop() < Duration::from_secs(2));
        self.start();
        let mut deadline = Instant::now() + 2 * DEADLINE;
        let (mut last, mut most) = (None, 0);
        loop {
            assert!(
                Instant::now() < deadline,
                "missing: {:?}",
                last.map(|l| self.ledger.missing(l))
            );
            let got = self.centre.next().await;
            if self.ledger.kept.len() > most {
                most = self.ledger.kept.len();
                deadline = Instant::now() + 2 * DEADLINE;
            }
            if let Some(event) = self.ledger.take(&got)
                && event["type"] == "cn.anju.box.boot"
                && event["data"]["clean"] == true
            {
                let durable = event["data"]["durable"].as_u64().unwrap();
                last = Some((event["data"]["epoch"].as_u64().unwrap(), durable));
            }
            if got.topic.ends_with("/status")
                && last.is_some_and(|last| self.ledger.missing(last).is_empty())
            {
                break;
            }
        }
        self.ledger.verify();
        let raised = self.ledger.kept.values().rfind(|event| {
            event["type"] == "cn.anju.alert.raised" && event["data"]["rule"] == "help"
        });
        let alert = raised.unwrap()["data"]["alert"].as_str().unwrap().to_owned();
        let (accepted, said) = self.anju.anju(&["accept", &alert]);
        assert!(accepted, "the search for help ended by itself: {said}");
    }

    /// Until all presses were told, however many they are; they must not cease to come.
    async fn all_told(&mut self) {
        while self.ledger.presses() < self.presses {
            let (came, sent) = (self.ledger.presses(), self.presses);
            let deadline = Instant::now() + 2 * DEADLINE;
            while self.ledger.presses() == came {
                assert!(Instant::now() < deadline, "no more than {came} of {sent} presses");
                let got = self.centre.next().await;
                self.ledger.take(&got);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_it_keeps_its_word() {
    let mut storm = Storm::new("kill -9 of the daemon", |_| {}).await;
    let count = rounds(5);
    for _ in 0..count {
        storm.load(20, 1200).await;
        storm.anju.kill();
        storm.start();
    }
    storm.settle().await;
    let ledger = &storm.ledger;
    println!(
        "kill -9 of the daemon: {count} rounds, {} presses sent, {} entries upstream, each once; at most {} came \
         twice after a start",
        storm.presses,
        ledger.kept.len(),
        ledger.most_repeats
    );
    assert!(ledger.most_repeats <= WINDOW, "{} came twice", ledger.most_repeats);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_power_at_any_moment_it_keeps_its_word() {
    if loop_disk::missing().is_some() {
        return;
    }
    let mut disk = Disk::new(256);
    let prepare = |anju: &Box_| {
        std::fs::create_dir(disk.data()).unwrap();
        std::os::unix::fs::symlink(disk.data(), anju.data()).unwrap();
        let path = anju.dir.path().join("anju.toml");
        let config = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, config + "[journal]\nmax_bytes = \"16MiB\"\n").unwrap();
    };
    let mut storm = Storm::new("power cut of the daemon", prepare).await;
    let count = rounds(3);
    for _ in 0..count {
        storm.load(100, 2000).await;
        // The box stops with its disk; else it would answer for what a dead disk does not keep.
        storm.anju.signal(rustix::process::Signal::STOP);
        disk.cut_power();
        storm.anju.kill();
        disk.back_again("rw");
        storm.start();
    }
    storm.settle().await;
    println!(
        "power cut of the daemon: {count} rounds, {} presses sent, {} entries upstream, each once",
        storm.presses,
        storm.ledger.kept.len()
    );
    storm.anju.kill();
}
