//! Bad disks under the real daemon: full, read-only, dying, with broken bytes, held by another.
//! The alarm is always spoken and forwarded, and the fault is an alert of its own.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::chance::{Chance, rounds};
use crate::common::{Box_, Broker, DEADLINE, Peer};
use crate::loop_disk::{self, Disk};

const PRESS: &str = "zigbee2mqtt/sos-button";
const DOOR: &str = "zigbee2mqtt/0x00158d0001e52fbb";

struct Home {
    anju: Box_,
    devices: Peer,
    centre: Peer,
    presses: u32,
    /// The highest number that its centre was given on the alerts topic.
    highest: (u64, u64),
    _brokers: [Broker; 2],
}

impl Home {
    async fn new() -> Self {
        let (zigbee, upstream) = (Broker::start(), Broker::start());
        let centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
        let devices = Peer::connect("devices", zigbee.port, &[]).await;
        devices.publish_with(DOOR, true, r#"{"contact":true}"#.into(), Default::default()).await;
        let anju = Box_::new(zigbee.port, upstream.port);
        Self { anju, devices, centre, presses: 0, highest: (0, 0), _brokers: [zigbee, upstream] }
    }

    async fn on(disk: &Disk) -> Self {
        let home = Self::new().await;
        std::fs::create_dir(disk.data()).unwrap();
        std::os::unix::fs::symlink(disk.data(), home.anju.data()).unwrap();
        home
    }

    /// Starts the box and waits until its centre sees it.
    async fn start(&mut self) {
        self.anju.start_seen(&mut self.centre).await;
    }

    /// An alarm: pressed until it is upstream, because the first may fall into the start.
    async fn alarm(&mut self) -> Value {
        let deadline = Instant::now() + DEADLINE;
        loop {
            assert!(Instant::now() < deadline, "the alarm is not forwarded");
            self.presses += 1;
            let press = json!({"action": "emergency", "linkquality": self.presses}).to_string();
            self.devices.publish(PRESS, press).await;
            let alert = tokio::time::timeout(Duration::from_secs(5), self.next_alert()).await;
            if let Ok(alert) = alert {
                return alert;
            }
        }
    }

    /// The next help alert or its repeat that the centre had not yet.
    async fn next_alert(&mut self) -> Value {
        loop {
            let got = self.centre.until(|got| got.topic.ends_with("/alerts")).await;
            let event = got.json();
            let number = |field: &str| event["data"][field].as_u64().unwrap();
            let pair = (number("epoch"), number("seq"));
            let news = pair > self.highest;
            self.highest = self.highest.max(pair);
            let kind = event["type"].as_str().unwrap_or_default();
            let raised = ["cn.anju.alert.raised", "cn.anju.alert.repeated"].contains(&kind);
            if news && raised && event["data"]["rule"] == "help" {
                return event;
            }
        }
    }

    /// Whether something was spoken since the folder was emptied.
    async fn spoken(&self) {
        let wav = self.anju.dir.path().join("wav");
        let deadline = Instant::now() + DEADLINE;
        let large = |file: std::fs::DirEntry| file.metadata().is_ok_and(|m| m.len() > 4_000);
        while !std::fs::read_dir(&wav).is_ok_and(|mut d| d.any(|f| f.is_ok_and(large))) {
            assert!(Instant::now() < deadline, "nothing was spoken");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn hush(&self) {
        let wav = self.anju.dir.path().join("wav");
        for file in std::fs::read_dir(wav).into_iter().flatten().flatten() {
            let _ = std::fs::remove_file(file.path());
        }
    }

    /// The journal's fault, as the alert it is.
    async fn fault_alert(&mut self) -> Value {
        let fits = |event: &Value| {
            event["type"] == "cn.anju.alert.raised" && event["data"]["rule"] == "journal"
        };
        let fault = self
            .centre
            .until(|got| got.topic.ends_with("/alerts") && fits(&got.json()))
            .await
            .json();
        assert_eq!(fault["data"]["class"], "fault");
        fault
    }

    /// Until the journal says that it records again.
    async fn recording(&mut self) {
        let deadline = Instant::now() + 2 * DEADLINE;
        while !self.anju.stats().is_some_and(|stats| stats["recording"] == true) {
            assert!(Instant::now() < deadline, "it does not record again: {:?}", self.anju.stats());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn asides(&self) -> usize {
        let names = std::fs::read_dir(self.anju.data()).unwrap().flatten();
        names.filter(|e| e.file_name().to_string_lossy().contains("aside")).count()
    }

    /// Until an entry of a kind can be read back.
    async fn recorded(&self, what: &str) {
        let deadline = Instant::now() + 2 * DEADLINE;
        while !self.anju.anju(&["journal", "export"]).1.contains(what) {
            assert!(Instant::now() < deadline, "{what} is not recorded");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_an_alarm_is_spoken_and_forwarded() {
    if loop_disk::missing().is_some() {
        return;
    }
    let disk = Disk::new(64);
    let mut home = Home::on(&disk).await;
    home.start().await;
    let first = home.alarm().await;
    home.recorded("cn.anju.alert.raised").await;
    let filler = disk.fill();
    home.hush();
    let again = home.alarm().await;
    assert_eq!(again["data"]["alert"], first["data"]["alert"]);
    home.fault_alert().await;
    home.spoken().await;
    // Started on the full disk as well.
    home.anju.kill();
    home.hush();
    home.start().await;
    let again = home.alarm().await;
    assert!(again["data"]["epoch"].as_u64() > first["data"]["epoch"].as_u64());
    home.spoken().await;
    assert_eq!(home.asides(), 0);
    std::fs::remove_file(filler).unwrap();
    home.recording().await;
    home.alarm().await;
    assert!(home.anju.stop() < Duration::from_secs(2));
    let (ok, export) = home.anju.anju(&["journal", "export"]);
    assert!(ok && export.contains(first["id"].as_str().unwrap()), "the first alert is lost");
    assert!(export.contains(again["id"].as_str().unwrap()), "recorded once there was room");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_read_only_disk_an_alarm_is_spoken_and_forwarded() {
    if loop_disk::missing().is_some() {
        return;
    }
    let mut disk = Disk::new(64);
    let mut home = Home::on(&disk).await;
    home.start().await;
    let first = home.alarm().await;
    home.recorded("cn.anju.alert.raised").await;
    // Under the running daemon, if the kernel lets it; then from the start.
    if disk.remount("ro").is_ok() {
        home.hush();
        home.alarm().await;
        home.spoken().await;
    }
    home.anju.kill();
    disk.back_again("rw");
    disk.remount("ro").unwrap();
    home.hush();
    home.start().await;
    let again = home.alarm().await;
    assert!(again["data"]["epoch"].as_u64() > first["data"]["epoch"].as_u64());
    // The alert that was open goes on, though the journal can not be read.
    assert_eq!(again["data"]["alert"], first["data"]["alert"]);
    home.spoken().await;
    disk.remount("rw").unwrap();
    home.recording().await;
    assert_eq!(home.asides(), 0);
    assert!(home.anju.stop() < Duration::from_secs(2));
}

/// Not even the data folder is there, nor can it be made.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_data_folder_an_alarm_is_spoken_and_forwarded() {
    if loop_disk::missing().is_some() {
        return;
    }
    let mut disk = Disk::new(16);
    let mut home = Home::new().await;
    disk.back_again("ro");
    std::os::unix::fs::symlink(disk.data(), home.anju.data()).unwrap();
    home.start().await;
    home.alarm().await;
    home.spoken().await;
    home.anju.kill();
}

/// Writes fail with input/output errors, as `fdatasync` of a dying card does.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_dying_disk_an_alarm_is_spoken_and_forwarded() {
    if loop_disk::missing().is_some() {
        return;
    }
    let disk = Disk::dying(256, 8);
    let mut home = Home::on(&disk).await;
    home.start().await;
    let first = home.alarm().await;
    // The file system believes that there is room; the device below it has none.
    let path = disk.root().join("filler");
    let mut file = std::fs::File::create(&path).unwrap();
    for _ in 0..64 {
        let _ = std::io::Write::write_all(&mut file, &vec![7; 1 << 20]);
        if file.sync_data().is_err() {
            break;
        }
    }
    home.hush();
    let deadline = Instant::now() + 2 * DEADLINE;
    while home.anju.stats().is_none_or(|stats| stats["recording"] == true) {
        assert!(Instant::now() < deadline, "the dead disk is not noticed");
        home.alarm().await;
    }
    let again = home.alarm().await;
    assert_eq!(again["data"]["alert"], first["data"]["alert"]);
    home.spoken().await;
    assert!(home.anju.runs());
    home.anju.kill();
}

/// Random bytes are broken between two starts: the alarm goes out, new entries are kept, numbers
/// never repeat; what could not be read is told.
#[tokio::test(flavor = "multi_thread")]
async fn with_broken_bytes_in_its_journal_an_alarm_is_spoken_and_forwarded() {
    let mut chance = Chance::new("broken bytes under the daemon");
    let mut home = Home::new().await;
    home.start().await;
    let mut highest = (0, 0);
    let (mut aside, count) = (0, rounds(4));
    for round in 0..count {
        for n in 0..50 {
            home.devices.publish(DOOR, json!({"contact": n % 2 == 0}).to_string()).await;
        }
        let alert = home.alarm().await;
        let number = |field: &str| alert["data"][field].as_u64().unwrap();
        let pair = (number("epoch"), number("seq"));
        assert!(pair > highest, "{pair:?} after {highest:?}");
        highest = pair;
        home.recorded(&format!("\"id\":{}", alert["id"])).await;
        if round % 2 == 0 {
            home.anju.kill();
        } else {
            assert!(home.anju.stop() < Duration::from_secs(2));
        }
        let what = damage(&home.anju.data(), &mut chance);
        home.hush();
        home.start().await;
        home.alarm().await;
        home.spoken().await;
        if home.asides() > aside {
            aside = home.asides();
            home.recorded("\"part\":\"journal:set-aside\",\"active\":true").await;
        }
        assert!(home.anju.runs(), "{what}");
    }
    println!("broken bytes under the daemon: {count} rounds, {aside} journals set aside");
}

/// Breaks some bytes of some file of the data folder.
fn damage(data: &Path, chance: &mut Chance) -> String {
    let mut files = Vec::new();
    let mut folders = vec![data.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let kind = entry.file_type().unwrap();
            let name = entry.file_name();
            if kind.is_dir() && !name.to_string_lossy().contains("aside") {
                folders.push(entry.path());
            } else if kind.is_file() && entry.metadata().unwrap().len() > 0 {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    let db = data.join("journal/db");
    let path = match chance.below(2) {
        0 => files[chance.below(files.len() as u64) as usize].clone(),
        _ => db,
    };
    let mut bytes = std::fs::read(&path).unwrap();
    for _ in 0..=chance.below(200) {
        let at = chance.below(bytes.len() as u64) as usize;
        bytes[at] = chance.next() as u8;
    }
    if chance.below(4) == 0 {
        bytes.truncate(chance.below(bytes.len() as u64) as usize);
    }
    std::fs::write(&path, bytes).unwrap();
    println!("broken: {}", path.display());
    path.display().to_string()
}

/// A second daemon on the same data ends with the reason; the first one goes on undisturbed. A
/// reader that has the journal open for a moment while the daemon starts is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn a_journal_held_by_another_is_left_alone() {
    let mut home = Home::new().await;
    home.start().await;
    let first = home.alarm().await;
    let second = Command::new(env!("CARGO_BIN_EXE_anju"))
        .args(["run", "--config"])
        .arg(home.anju.dir.path().join("anju.toml"))
        .arg("--data")
        .arg(home.anju.data())
        .stdout(Stdio::null())
        .output()
        .unwrap();
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains("held by another"));
    assert_eq!(home.asides(), 0);
    let again = home.alarm().await;
    assert_eq!(again["data"]["alert"], first["data"]["alert"]);
    assert!(home.anju.stats().is_some(), "the control socket is still the first one's");
    home.recorded("cn.anju.alert.repeated").await;
    assert!(home.anju.stop() < Duration::from_secs(2));
    // Held for a while by somebody who reads.
    let lock = std::fs::File::options()
        .read(true)
        .write(true)
        .open(home.anju.data().join("journal/db"))
        .unwrap();
    lock.lock().unwrap();
    home.anju.start();
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(home.anju.runs(), "it did not wait");
    drop(lock);
    home.alarm().await;
    assert_eq!(home.asides(), 0);
}
