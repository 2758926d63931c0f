//! The links into the Internet, through the real daemon and the real NetworkManager in a network of
//! their own: what is told when a cable is pulled, when all are, and what the page and the doctor say.

use std::process::Command;

use serde_json::Value;

use crate::common::{Box_, Broker, Peer};
use crate::modem_lab::Lab;
use crate::page::{get, until};
use crate::uplinks_lab::{FAR, Network, inside};

/// The next event of the network of that link that fits; its `data`.
async fn network(centre: &mut Peer, link: &str, fits: impl Fn(&Value) -> bool) -> Value {
    loop {
        let event = centre.event("cn.anju.box.network").await;
        if event["data"]["link"] == link && fits(&event["data"]) {
            return event["data"].clone();
        }
    }
}

fn preferred(data: &Value) -> bool {
    data["preferred"] == true
}

#[test]
fn a_pulled_cable_and_a_home_without_any_are_told() {
    inside("links::a_pulled_cable_and_a_home_without_any_are_told", async {
        let bus = Lab::new();
        let mut cables = Network::new(&bus.address);
        cables.start();
        let (zigbee, upstream) = (Broker::start(), Broker::start());
        let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
        let mut anju = Box_::new(zigbee.port, upstream.port);
        anju.configure(|config| format!("{config}[channels.ntfy]\nurl = \"http://{FAR}:8883\"\n"));
        anju.start_with(|command| {
            command.env("DBUS_SYSTEM_BUS_ADDRESS", &bus.address);
        });
        // Which of the two is good first is chance.
        let told = |link: &'static str, fits: fn(&Value) -> bool| {
            anju.until_recorded("cn.anju.box.network", move |data| {
                data["link"] == link && fits(data)
            })
        };
        assert_eq!(told("eth1", preferred).await["kind"], "ethernet");
        told("uplinks", |data| data["up"] == true).await;
        let status = until(anju.web, "/api/status", |_, status| {
            let status: Value = serde_json::from_str(status).unwrap_or_default();
            let links = status["uplinks"]["links"].as_array();
            links.is_some_and(|links| {
                links.len() == 2 && links.iter().all(|link| link["reaches"] == true)
            })
        });
        let status: Value = serde_json::from_str(&status).unwrap();
        assert!(status["uplinks"]["unmanaged"].is_null(), "{status}");
        let (_, figures) = get(anju.web, "/metrics").unwrap();
        assert!(figures.contains("anju_uplink_preferred{interface=\"eth1\"} 1\n"), "{figures}");
        let doctor = Command::new(env!("CARGO_BIN_EXE_anju"))
            .args(["doctor", "--json", "--config"])
            .arg(anju.dir.path().join("anju.toml"))
            .arg("--data")
            .arg(anju.data())
            .env("DBUS_SYSTEM_BUS_ADDRESS", &bus.address)
            .output()
            .unwrap();
        let doctor: Value = serde_json::from_slice(&doctor.stdout).unwrap();
        let checks = doctor["checks"].as_array().unwrap();
        let found = checks.iter().find(|check| check["check"] == "uplinks").unwrap();
        for finding in found["findings"].as_array().unwrap() {
            assert_eq!(finding["state"], "ok", "{found}");
        }
        assert_eq!(found["findings"].as_array().unwrap().len(), 2, "{found}");

        // The first cable is pulled: the other is used, and the session upstream is a new one, since
        // one over the cable would hang.
        cables.plugged(1, false);
        network(&mut centre, "eth2", preferred).await;
        upstream.logged(" as hz-test ", 2).await;
        // The second too: nothing is reached any more. The centre of this test is no other machine.
        cables.plugged(2, false);
        let told = network(&mut centre, "uplinks", |data| data["up"] == false).await;
        assert_eq!(told["reason"], "no link is connected");
        cables.plugged(2, true);
        network(&mut centre, "uplinks", |data| data["up"] == true).await;
        assert!(anju.runs());
    });
}
