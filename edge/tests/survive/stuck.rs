//! A driver that blocks: its link's password stands in a pipe that nobody writes to, as a file on
//! a disk that hangs. All else goes on, and it is told.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::common::{Box_, Broker, DEADLINE, Peer};

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_blocks_stops_nothing_and_is_told() {
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    let pipe = anju.dir.path().join("password");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, fifo, mode, 0).unwrap();
    anju.configure(|config| {
        config
            + &format!(
                "[links.stuck]\nkind = \"mqtt\"\nurl = \"mqtt://127.0.0.1:{}\"\ndialect = \"zigbee2mqtt\"\n\
                 base_topic = \"other\"\nusername = \"box\"\npassword_file = {pipe:?}\n[[device]]\n\
                 id = \"stuck\"\nkind = \"motion\"\nlink = \"stuck\"\naddress = \"stuck\"\n",
                zigbee.port
            )
    });
    anju.start_seen(&mut centre).await;
    devices.publish("zigbee2mqtt/sos-button", r#"{"action":"emergency"}"#).await;
    let raised = centre.event("cn.anju.alert.raised").await;
    assert_eq!(raised["data"]["rule"], "help");
    let deadline = Instant::now() + 3 * DEADLINE;
    let told = loop {
        assert!(Instant::now() < deadline, "the blocked driver is not told");
        // Heartbeats too, so that this does not wait for one message for longer than peers do.
        let event = centre.next().await.json();
        if event["type"] == "cn.anju.observation.online" && event["data"]["device"] == "stuck" {
            break event;
        }
    };
    assert_eq!(told["data"]["online"], false);
    assert!(told["data"]["reason"].as_str().unwrap().contains("does not answer"), "{told}");
    let press = json!({"action": "emergency", "linkquality": 2}).to_string();
    devices.publish("zigbee2mqtt/sos-button", press).await;
    centre.event("cn.anju.alert.repeated").await;
    assert!(anju.stop() < Duration::from_secs(2));
}
