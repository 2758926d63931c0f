//! A phone that tells where it is.

use serde_json::{Value, json};

use crate::home::{Home, alarm};

const ROWS: &str = r#"
[[zone]]
id = "home"
latitude = 30.19
longitude = 120.19
[links.phones]
kind = "mqtt"
url = "mqtt://127.0.0.1:PORT"
dialect = "owntracks"
[[device]]
id = "phone"
kind = "locator"
link = "phones"
address = "wang/phone"
"#;

fn location(lat: f64, acc: u32, age: i64) -> Value {
    let now = jiff::Timestamp::now().as_second();
    json!({"_type": "location", "acc": acc, "alt": 13, "batt": 64, "conn": "m", "lat": lat,
        "lon": 120.19, "t": "p", "tid": "ne", "tst": now - age, "vel": 0})
}

#[tokio::test(flavor = "multi_thread")]
async fn home_is_left_by_a_position_that_counts() {
    let wanders = |config: String| {
        let risks = "[[person]]\nrisks = [\"wandering\"]\n";
        assert!(config.contains("[[person]]\n"), "{config}");
        config.replacen("[[person]]\n", risks, 1)
    };
    let mut home = Home::configured(ROWS, wanders).await;
    let topic = "owntracks/wang/phone";
    home.leave(topic, &location(30.19, 12, 30).to_string()).await;
    let at_home = json!({"zone": "home", "entered": true, "baseline": true});
    home.observed("phone", "location", at_home).await;
    home.observed("phone", "battery", json!({"percent": 64.0})).await;
    home.say(topic, &location(30.25, 7000, 20)).await;
    home.say(topic, &location(30.25, 9, 7200)).await;
    home.say(topic, &location(30.23, 9, 10)).await;
    let left = home.observed("phone", "location", json!({"zone": "home"})).await;
    assert_eq!((&left["entered"], &left["latitude_degrees"]), (&json!(false), &json!(30.23)));
    assert_eq!(home.raised("phone").await, alarm("wandering"));
    // The phone changes to the network at home.
    home.say(topic, &json!({"_type": "lwt", "tst": 1})).await;
    home.say(topic, &location(30.19, 9, 0)).await;
    home.observed("phone", "location", json!({"zone": "home", "entered": true})).await;
    assert!(!home.unread_has("cn.anju.observation.online"), "it was never lost");
}
