//! Sensors on an I2C bus of a real kernel, from the words on the bus through the real box to what
//! the centre sees, each with its acceptance; one that loses its supply and one that was never
//! there. The chips stand outside of the kernel and play recorded transactions
//! (`drivers/lab/chips.py`). Runs inside the lab (`drivers/lab/test.sh`); elsewhere it says that it
//! was skipped.

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

use std::io::Write;

use common::{Broker, DEADLINE};
use home::Home;
use serde_json::json;

/// An SHT31 at 25.00 degrees and 37.0 per cent: its single shot and the reply.
const SHT: &str = "44 2400 6667A2 5EB93C";
/// The same chip a degree warmer.
const WARMER: &str = "44 2400 67DD32 5EB93C";
/// With the check sum of its first word wrong.
const BROKEN: &str = "44 2400 6667A3 5EB93C";
/// An SCD41 with 500 ppm, 25 degrees and 37 per cent (data sheet, section 3.6.2): stop, measure each
/// 5 s, whether something is new, and fetch it.
const SCD: &str = "62 3F86\n62 21B1\n62 E4B8 800604\n62 EC05 01F433 6667A2 5EB93C";
/// The same with 1500 ppm.
const STALE: &str = "62 3F86\n62 21B1\n62 E4B8 800604\n62 EC05 05DC8F 6667A2 5EB93C";
const ROWS: &str = r#"
[links.header]
kind = "i2c"
path = "BUS"
[[device]]
id = "climate"
kind = "climate"
link = "header"
protocol = "sht3x"
poll = "5s"
[[device]]
id = "air"
kind = "air-quality"
link = "header"
protocol = "scd4x"
poll = "5s"
[[device]]
id = "absent"
kind = "climate"
link = "header"
protocol = "sht3x"
address = 0x45
poll = "5s"
"#;

/// What the chips do from now on.
fn play(lines: &[&str]) {
    let mut file = std::fs::File::create(std::env::var("ANJU_LAB_CHIPS").unwrap()).unwrap();
    writeln!(file, "{}", lines.join("\n")).unwrap();
    // They stand on the other side of the guest's memory.
    file.sync_all().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sensors_of_a_kernels_bus_reach_the_centre_and_are_accepted() {
    if common::outside_the_lab() {
        return;
    }
    let bus = std::env::var("ANJU_LAB_I2C").unwrap();
    play(&[SHT, SCD]);
    let mut home = Home::at(Broker::start(), &ROWS.replace("BUS", &bus), &[]).await;
    let room = json!({"celsius": 25.0, "relative_humidity_percent": 37.0, "baseline": true});
    home.observed("climate", "climate", room).await;
    home.observed("air", "air", json!({"co2_ppm": 500.0})).await;
    let lost = home.observed("absent", "online", json!({"online": false})).await;
    let reason = lost["reason"].as_str().unwrap();
    assert!(reason.starts_with(&format!("sht3x at 0x45 of {bus}: it does not answer")), "{reason}");

    // What an installer waits for is told at once; readings of every day come later.
    play(&[WARMER, STALE]);
    home.accept("climate", DEADLINE, async || ()).await;
    home.observed("climate", "climate", json!({"celsius": 26.0})).await;
    home.accept("air", DEADLINE, async || ()).await;
    home.observed("air", "air", json!({"co2_ppm": 1500.0})).await;

    // A word whose check sum is wrong is no reading, and three in a row are a lost chip; the other
    // goes on. Then it is mended.
    play(&[BROKEN, SCD]);
    let lost = home.observed("climate", "online", json!({"online": false})).await;
    assert!(lost["reason"].as_str().unwrap().contains("check sum"), "{lost}");
    home.observed("air", "air", json!({"co2_ppm": 500.0, "baseline": null})).await;
    play(&[SHT, SCD]);
    home.observed("climate", "online", json!({"online": true})).await;

    // One whose supply is lost answers nothing; it is started anew once it is back.
    play(&[SHT]);
    home.observed("air", "online", json!({"online": false})).await;
    play(&[SHT, STALE]);
    home.observed("air", "online", json!({"online": true})).await;
    home.anju.stop();
}
