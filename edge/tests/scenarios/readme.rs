//! What the drivers' README shows is followed word for word, through the real daemon.

use serde_json::{Value, json};

use crate::common::Broker;
use crate::home::{Home, alarm};

const README: &str = include_str!("../../../drivers/README.md");

/// The blocks of a language, in their order.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let parts = README.split(fence.as_str()).skip(1);
    parts.map(|part| part.split("```").next().unwrap()).collect()
}

/// A home with the example that has a device, its broker at the usual port's place.
async fn home(device: &str) -> Home {
    let id = format!("id = {device:?}\n");
    let example = blocks("toml").into_iter().find(|rows| rows.contains(&id));
    let rows = example.unwrap_or_else(|| panic!("{device} is in the README"));
    let rows = rows.replace("127.0.0.1:1883", "127.0.0.1:PORT");
    assert!(rows.contains("PORT"), "{rows}");
    Home::at(Broker::start(), &rows, &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_zigbee_door_is_tried_without_the_device() {
    let mut home = home("front-door").await;
    home.leave("zigbee2mqtt/bridge/state", r#"{"state":"online"}"#).await;
    home.observed("front-door", "online", json!({"online": true})).await;
    let command = blocks("sh")[0].lines().next().unwrap();
    let words: Vec<&str> = command.split(' ').collect();
    let ["mosquitto_pub", "-t", topic, "-m", payload] = words[..] else { panic!("{command}") };
    home.devices.publish(topic, payload.trim_matches('\'').to_owned()).await;
    home.observed("front-door", "contact", json!({"open": true})).await;
    home.observed("front-door", "battery", json!({"percent": 91.0})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mattress_says_what_it_publishes_and_whether_it_runs() {
    let mut home = home("mattress").await;
    home.leave("beds/wang/status", "online").await;
    home.observed("mattress", "online", json!({"online": true})).await;
    let says: Value = serde_json::from_str(blocks("json")[0]).unwrap();
    home.say("beds/wang", &says).await;
    home.observed("mattress", "bed", json!({"occupied": true})).await;
    let vital = json!({"heart_beats_per_minute": 61.0});
    let vital = home.observed("mattress", "vital", vital).await;
    assert!((vital["breaths_per_minute"].as_f64().unwrap() - 14.2).abs() < 1e-9, "{vital}");
    home.devices.publish("beds/wang/status", "offline").await;
    home.observed("mattress", "online", json!({"online": false})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_pendants_own_key_calls_for_help() {
    let mut home = home("pendant").await;
    home.leave("rtl_433/attic/availability", "online").await;
    home.observed("pendant", "online", json!({"online": true})).await;
    let key = |cmd: u32| json!({"model": "Generic-Remote", "id": 55034, "cmd": cmd});
    home.say("rtl_433/attic/events", &key(5)).await;
    home.say("rtl_433/attic/events", &key(3)).await;
    home.observed("pendant", "help", json!({"state": "pressed"})).await;
    assert_eq!(home.raised("pendant").await, alarm("help"));
    assert!(!home.unread_has("cn.anju.observation.help"), "the other key calls nobody");
}
