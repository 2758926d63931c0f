//! The end of the SIM card's contract, through the real daemon: told with its day, not again by a
//! start, and over with a new contract.

use jiff::{ToSpan, Zoned};

use serde_json::Value;

use crate::common::{Box_, Broker, Peer};

/// The next step of that name in the life of an alert about the contract; its `data`.
async fn step(centre: &mut Peer, name: &str) -> Value {
    loop {
        let event = centre.event(&format!("cn.anju.alert.{name}")).await;
        if event["data"]["rule"] == "sim-contract" {
            return event["data"].clone();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_contract_is_told_with_its_day_and_is_over_with_a_new_one() {
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    // A day that is within the week in every zone.
    let ends = Zoned::now().date().saturating_add(5.days()).to_string();
    let until = |ends: &str| format!("\n[modem]\ncontract_ends = \"{ends}\"\n");
    anju.configure(|config| config + &until(&ends));
    anju.start();
    let raised = step(&mut centre, "raised").await;
    assert_eq!((raised["class"].as_str(), raised["code"].as_u64()), (Some("fault"), Some(350)));
    assert!(raised["text"].as_str().unwrap().contains(&ends), "{raised}");
    anju.stop();
    anju.start_seen(&mut centre).await;
    anju.configure(|config| config.replace(&until(&ends), &until("2999-12-31")));
    anju.reload();
    assert_eq!(step(&mut centre, "closed").await["alert"], raised["alert"]);
    let all = anju.recorded("cn.anju.alert.raised");
    let told = all.iter().filter(|entry| entry["rule"] == "sim-contract").count();
    assert_eq!(told, 1, "{all:?}");
}
