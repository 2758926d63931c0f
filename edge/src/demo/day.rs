//! A short day: the door, movement, the kettle at the meter, then the alarm button, and the centre that accepts. Each step
//! waits for what it leads to.

use std::cell::Cell;
use std::time::Duration;

use serde_json::{Value, json};

use super::DemoError;
use super::meter::{KETTLE_WATTS, Meter};
use super::peer::Peer;

/// Longest wait for each step.
const STEP: Duration = Duration::from_secs(20);

const COMMANDS: &str = "anju/1/demo/commands";
const REPLIES: &str = "demo-centre/replies";

/// Waits until the centre sees what fits.
async fn seen(
    centre: &mut Peer,
    missed: &'static str,
    fits: impl Fn(&str, &Value) -> bool,
) -> Result<Value, DemoError> {
    let wait = async {
        loop {
            let (topic, message) = centre.next().await;
            if fits(&topic, &message) {
                return message;
            }
        }
    };
    tokio::time::timeout(STEP, wait).await.map_err(|_| DemoError::Missed(missed, STEP))
}

/// Publishes a device's message until the centre sees what it leads to; a device repeats itself,
/// and the daemon may still be connecting.
async fn until_seen(
    centre: &mut Peer,
    devices: &Peer,
    (topic, payload): (&str, Value),
    missed: &'static str,
    kind: &str,
) -> Result<Value, DemoError> {
    let repeat = async {
        loop {
            devices.publish(topic, &payload).await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        seen = seen(centre, missed, |_, message| message["type"] == kind) => seen,
        failed = repeat => failed,
    }
}

/// Plays the day.
pub async fn play(centre: &mut Peer, devices: &Peer, meter: &Meter) -> Result<(), DemoError> {
    let door =
        |contact: bool| ("zigbee2mqtt/front-door", json!({"contact": contact, "battery": 91}));
    until_seen(
        centre,
        devices,
        door(true),
        "the door was not heard",
        "cn.anju.observation.contact",
    )
    .await?;
    println!("07:30  the front door opens and closes");
    devices.publish(door(false).0, &door(false).1).await?;
    devices.publish(door(true).0, &door(true).1).await?;
    println!("07:31  somebody moves in the living room");
    let motion = ("zigbee2mqtt/motion-living-room", json!({"occupancy": true, "linkquality": 120}));
    until_seen(centre, devices, motion, "motion was not heard", "cn.anju.observation.motion")
        .await?;

    println!("07:35  the kettle is switched on");
    meter.boil();
    let read = tokio::time::timeout(STEP, meter.told_boiling()).await;
    read.map_err(|_| DemoError::Missed("the meter was not read", STEP))?;
    println!("       the meter was read");

    println!("07:40  the button in the bathroom is pressed");
    let press = json!({"action": "emergency", "battery": null, "linkquality": 90});
    devices.publish("zigbee2mqtt/sos-bathroom", &press).await?;
    // Readings are not urgent for the card: the alarm takes them along, before or after itself.
    let boiled = Cell::new(false);
    let note = |message: &Value| {
        let watts = message["data"]["power_watts"].as_f64();
        let boils = message["data"]["device"] == "electricity"
            && watts.is_some_and(|watts| watts >= f64::from(KETTLE_WATTS));
        boiled.set(boiled.get() || boils);
        boils
    };
    let raised = seen(centre, "no alert was seen upstream", |topic, message| {
        note(message);
        topic == "anju/1/demo/alerts" && message["type"] == "cn.anju.alert.raised"
    })
    .await?;
    let alert = raised["data"]["alert"].clone();
    println!("       upstream: {}", raised["data"]["text"].as_str().unwrap_or_default());
    let of_it = |message: &Value, kind: &str| {
        message["type"] == format!("cn.anju.alert.{kind}") && message["data"]["alert"] == alert
    };
    seen(centre, "the alarm was not spoken", |_, message| {
        note(message);
        of_it(message, "announced") && message["data"]["by"] == "speaker"
    })
    .await?;
    println!("       spoken in the home");

    let accept = json!({
        "specversion": "1.0", "id": format!("demo-{}", std::process::id()), "source": "/centre",
        "type": "cn.anju.command.accept", "time": jiff::Timestamp::now().to_string(),
        "data": {"by": "centre", "alert": alert, "minutes": 15},
    });
    centre.command(COMMANDS, &accept, REPLIES).await?;
    let (mut accepted, mut answered) = (false, false);
    while !(accepted && answered) {
        let message = seen(centre, "the alert could not be accepted", |topic, message| {
            note(message);
            topic == REPLIES || of_it(message, "accepted")
        })
        .await?;
        match message["ok"].as_bool() {
            Some(ok) => answered = ok,
            None => accepted = true,
        }
    }
    println!("       accepted by the centre, there in 15 minutes");
    if !boiled.get() {
        seen(centre, "the meter's reading was not seen upstream", |_, message| note(message))
            .await?;
    }
    println!("       the kettle was seen upstream too");
    Ok(())
}
