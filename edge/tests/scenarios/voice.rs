//! A module that recognises words hears a call for help: the box asks whether it was one.

use serde_json::json;

use crate::common::Broker;
use crate::home::{Home, alarm};
use crate::wire::Wire;

const ROWS: &str = r#"
[links.microphone]
kind = "serial"
path = "PATH"
[[device]]
id = "ear"
kind = "voice-alarm"
name = "语音报警器"
room = "bedroom"
link = "microphone"
protocol = "voice"
words = ["1=help:救命", "2=no:不用"]
[guard.voice]
answer_within = "4s"
"#;

/// Captured; the others by the maker's manual.
const HELP: &str = "A5 FA 00 81 01 00 21 FB";
const NO: &str = "A5 FA 00 81 02 00 22 FB";
const DAMAGED: &str = "A5 FA 00 81 01 00 22 FB";

#[tokio::test(flavor = "multi_thread")]
async fn a_no_stops_it_and_silence_calls_for_help() {
    let wire = Wire::new();
    wire.talk(DAMAGED);
    let mut home = Home::at(Broker::start(), &ROWS.replace("PATH", &wire.path), &[]).await;
    home.observed("ear", "trouble", json!({"active": true})).await;
    wire.talk("");

    wire.say(HELP);
    home.observed("ear", "help", json!({"state": "pressed", "phrase": "救命"})).await;
    home.spoken(1).await;
    wire.say(NO);
    home.observed("ear", "help", json!({"state": "cancelled", "phrase": "不用"})).await;

    wire.say(HELP);
    let called = home.observed("ear", "help", json!({"state": "pressed"})).await;
    // Trouble ended with the first sound frame; what is raised then is the second call and no other.
    let raised = home
        .find(|event| event["type"] == "cn.anju.alert.raised" && event["data"]["rule"] == "help");
    let raised = raised.await;
    assert_eq!(raised["data"]["alert"], format!("hz-test/1/{}", called["seq"]));
    assert_eq!(raised["data"]["class"], alarm("help")["class"]);
    assert_eq!(raised["data"]["text"].as_str().unwrap(), "王奶奶家：卧室的语音报警器听到有人呼救");
}
