//! A centre that misbehaves: it is silent, refuses, hangs up, is taken over, or sends rubbish.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::chance::Chance;
use crate::common::{Box_, Broker, Got, Peer};
use crate::ledger::Ledger;
use crate::scripted::{Answer, Event, Scripted, publish};

const PRESS: &str = "zigbee2mqtt/sos-button";
const DOOR: &str = "zigbee2mqtt/0x00158d0001e52fbb";

const FINE: Answer = Answer::Ack(0);

struct Home {
    anju: Box_,
    devices: Peer,
    presses: u32,
    _zigbee: Broker,
}

impl Home {
    /// Starts a box whose centre is at `port`; returns once it hears its devices.
    async fn new(port: u16) -> Self {
        Self::with(port, |config| config).await
    }

    /// The same with another configuration.
    async fn with(port: u16, edit: impl FnOnce(String) -> String) -> Self {
        let zigbee = Broker::start();
        let devices = Peer::connect("devices", zigbee.port, &[]).await;
        let mut anju = Box_::new(zigbee.port, port);
        anju.configure(edit);
        anju.start();
        let home = Self { anju, devices, presses: 0, _zigbee: zigbee };
        home.devices
            .publish_with(DOOR, true, r#"{"contact":true}"#.into(), Default::default())
            .await;
        home.recorded("cn.anju.observation.contact", 1).await;
        home
    }

    async fn press(&mut self) {
        self.presses += 1;
        let press = json!({"action": "emergency", "linkquality": self.presses}).to_string();
        self.devices.publish(PRESS, press).await;
    }

    /// Waits until the journal has that many entries of a type.
    async fn recorded(&self, kind: &str, count: usize) {
        let deadline = std::time::Instant::now() + crate::common::DEADLINE;
        loop {
            let (_, export) = self.anju.anju(&["journal", "export"]);
            if export.matches(&format!("\"type\":\"{kind}\"")).count() >= count {
                return;
            }
            assert!(std::time::Instant::now() < deadline, "no {count} {kind} in {export}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn is_help_alert(got: &Got) -> bool {
    serde_json::from_slice::<Value>(&got.payload).is_ok_and(|event| {
        event["type"] == "cn.anju.alert.raised" && event["data"]["rule"] == "help"
    })
}

/// A broker that takes everything and acknowledges nothing is noticed within half a minute, and
/// what it swallowed is sent again.
#[tokio::test(flavor = "multi_thread")]
async fn a_centre_that_never_acknowledges_is_left_and_tried_again() {
    let silent = Arc::new(AtomicBool::new(true));
    let most = Arc::new(AtomicUsize::new(0));
    let (mute, seen) = (silent.clone(), most.clone());
    let script = move |_: &Got, unanswered: usize| {
        seen.fetch_max(unanswered, Ordering::Relaxed);
        if mute.load(Ordering::Relaxed) { Answer::Silence } else { FINE }
    };
    let mut centre = Scripted::start(Scripted::fine, script).await;
    let mut home = Home::new(centre.port).await;
    for _ in 0..150 {
        home.press().await;
    }
    centre.until("the first connection", |event| matches!(event, Event::Connected)).await;
    centre.until("the second connection", |event| matches!(event, Event::Connected)).await;
    silent.store(false, Ordering::Relaxed);
    let raised = centre.event("cn.anju.alert.raised", FINE).await;
    assert!(raised["data"]["alert"].is_string());
    // Statuses and replies are no entries.
    let most = most.load(Ordering::Relaxed);
    assert!(most <= 100 + 40, "{most} publications were in flight");
}

/// One entry is refused each time: it is tried again, set aside and told; all others pass.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_always_refused_blocks_nothing() {
    let tries = Arc::new(AtomicUsize::new(0));
    let count = tries.clone();
    let script = move |got: &Got, _: usize| {
        if is_help_alert(got) {
            count.fetch_add(1, Ordering::Relaxed);
            return Answer::Ack(0x99);
        }
        FINE
    };
    let mut centre = Scripted::start(Scripted::fine, script).await;
    let mut home = Home::new(centre.port).await;
    home.press().await;
    let refused = centre.event("cn.anju.alert.raised", Answer::Ack(0x99)).await;
    let seq = refused["data"]["seq"].as_u64().unwrap();
    home.press().await;
    centre.event("cn.anju.alert.repeated", FINE).await;
    let gap = centre.event("cn.anju.box.gap", FINE).await;
    assert_eq!((&gap["data"]["from"], &gap["data"]["to"]), (&json!(seq), &json!(seq)));
    assert_eq!(gap["data"]["of_epoch"], refused["data"]["epoch"]);
    let fault = centre.event("cn.anju.box.fault", FINE).await;
    assert_eq!(fault["data"]["part"], "channel:upstream-entry");
    assert!(tries.load(Ordering::Relaxed) >= 3);
    // It is not sent again after a start, and what comes later passes.
    let before = tries.load(Ordering::Relaxed);
    home.press().await;
    centre.event("cn.anju.alert.repeated", FINE).await;
    home.anju.stop();
    home.anju.start();
    centre.event("cn.anju.box.boot", FINE).await;
    assert_eq!(tries.load(Ordering::Relaxed), before);
}

/// A broker over its quota refuses everything for a while: nothing of that is given up.
#[tokio::test(flavor = "multi_thread")]
async fn a_centre_over_its_quota_loses_nothing() {
    let over = Arc::new(AtomicBool::new(true));
    let quota = over.clone();
    let script = move |got: &Got, _: usize| {
        let entry = !got.topic.ends_with("/status");
        if entry && quota.load(Ordering::Relaxed) { Answer::Ack(0x97) } else { FINE }
    };
    let mut centre = Scripted::start(Scripted::fine, script).await;
    let mut home = Home::new(centre.port).await;
    home.press().await;
    let mut refusals = 0;
    // Long enough that an entry refused alone would have been given up.
    while refusals < 4 {
        let refused = centre
            .until(
                "a refusal",
                |e| matches!(e, Event::Published(got, Answer::Ack(0x97)) if is_help_alert(got)),
            )
            .await;
        drop(refused);
        refusals += 1;
    }
    over.store(false, Ordering::Relaxed);
    let mut ledger = Ledger::default();
    home.press().await;
    let mut last = None;
    let whole = |ledger: &Ledger, last| {
        ledger.kept.contains_key(&(1, 1)) && ledger.missing(last).is_empty()
    };
    while last.is_none_or(|last| !whole(&ledger, last)) {
        let event = centre.until("all entries", |e| matches!(e, Event::Published(_, FINE))).await;
        let Event::Published(got, _) = event else { unreachable!() };
        if let Some(event) = ledger.take(&got)
            && event["type"] == "cn.anju.alert.repeated"
        {
            last = Some((
                event["data"]["epoch"].as_u64().unwrap(),
                event["data"]["seq"].as_u64().unwrap(),
            ));
        }
    }
    assert!(ledger.gaps().is_empty(), "{:?}", ledger.gaps());
}

/// Alerts are refused, all else is taken: that is told once, not each time that something passes.
#[tokio::test(flavor = "multi_thread")]
async fn a_centre_that_refuses_one_lane_is_one_fault() {
    let script = |got: &Got, _: usize| {
        if got.topic.ends_with("/alerts") { Answer::Ack(0x87) } else { FINE }
    };
    let mut centre = Scripted::start(Scripted::fine, script).await;
    let mut home = Home::new(centre.port).await;
    home.press().await;
    let mut refusals = 0;
    // The third refusal of an alert is told; several more follow, with telemetry between them.
    while refusals < 7 {
        let fits = |e: &Event| matches!(e, Event::Published(_, Answer::Ack(0x87)));
        centre.until("a refusal", fits).await;
        refusals += 1;
        home.devices.publish(DOOR, json!({"contact": refusals % 2 == 0}).to_string()).await;
        home.recorded("cn.anju.observation.contact", 1 + refusals).await;
    }
    let told = home.anju.recorded("cn.anju.box.fault");
    let told: Vec<_> = told.iter().filter(|f| f["part"] == "channel:upstream-refuses").collect();
    assert!(told.len() == 1 && told[0]["active"] == true, "{told:?}");
}

/// One alert is swallowed; all others, and each status, are answered at once. That the centre hears
/// those says nothing of that one: it is offered again.
#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_is_swallowed_is_offered_again() {
    let mut swallowed = None;
    let script = move |got: &Got, _: usize| {
        if !is_help_alert(got) || swallowed.is_some() {
            return FINE;
        }
        swallowed = Some(());
        Answer::Silence
    };
    let mut centre = Scripted::start(Scripted::fine, script).await;
    // The client gives packet ids in turn; a status each second would come round to that alert's.
    let beats = |config: String| config.replace("heartbeat = \"1s\"", "heartbeat = \"10s\"");
    let mut home = Home::with(centre.port, beats).await;
    for _ in 0..10 {
        home.press().await;
    }
    let raised = centre.event("cn.anju.alert.raised", Answer::Silence).await;
    let again = centre.event("cn.anju.alert.raised", FINE).await;
    assert_eq!(raised["id"], again["id"]);
}

/// Nobody is subscribed (0x10): the entry counts as sent, and the box tells that nobody listens.
#[tokio::test(flavor = "multi_thread")]
async fn a_centre_where_nobody_listens_is_a_fault() {
    let script = |got: &Got, _: usize| {
        let entry = !got.topic.ends_with("/status");
        if entry { Answer::Ack(0x10) } else { FINE }
    };
    let mut centre = Scripted::start(Scripted::fine, script).await;
    let mut home = Home::new(centre.port).await;
    home.press().await;
    let fault = centre.event("cn.anju.box.fault", Answer::Ack(0x10)).await;
    assert_eq!(
        (&fault["data"]["part"], &fault["data"]["active"]),
        (&json!("channel:upstream"), &json!(true))
    );
}

/// A box that may not hear commands says so, until it may.
#[tokio::test(flavor = "multi_thread")]
async fn a_centre_that_refuses_the_subscription_to_commands_is_a_fault() {
    let mut centre = Scripted::start(Scripted::fine, |_: &Got, _: usize| FINE).await;
    centre.grants.store(0x87, Ordering::Relaxed);
    let _home = Home::new(centre.port).await;
    let mut told = async |active: bool| loop {
        let fault = centre.event("cn.anju.box.fault", FINE).await;
        if fault["data"]["part"] == "channel:upstream-commands" {
            assert_eq!(fault["data"]["active"], active, "{fault}");
            centre.grants.store(1, Ordering::Relaxed);
            return fault["data"]["reason"].as_str().unwrap().to_owned();
        }
    };
    assert!(told(true).await.contains("NotAuthorized"));
    // It asks again while the connection stands.
    told(false).await;
}

/// Each connection is cut by the broker, which says that another client took the session over.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_taken_over_again_and_again_still_delivers() {
    let left = Arc::new(AtomicUsize::new(4));
    let cut = left.clone();
    let script = move |got: &Got, _: usize| {
        let again = got.topic.ends_with("/events")
            && cut.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok();
        if again { Answer::Disconnect(0x8e) } else { FINE }
    };
    let mut centre = Scripted::start(Scripted::fine, script).await;
    let mut home = Home::new(centre.port).await;
    home.press().await;
    centre.event("cn.anju.alert.raised", FINE).await;
    centre.event("cn.anju.observation.help", FINE).await;
    assert_eq!(left.load(Ordering::Relaxed), 0);
}

/// Refused at the door, limits of the broker's that make no sense, and tiny ones.
#[tokio::test(flavor = "multi_thread")]
async fn odd_answers_at_the_door_are_survived() {
    let most = Arc::new(AtomicUsize::new(0));
    let seen = most.clone();
    let hello = |connection: usize| match connection {
        // Not authorised; server busy; quota exceeded.
        1 => vec![0, 0x87, 0],
        2 => vec![0, 0x89, 0],
        // A receive maximum of 0 is a protocol error of the broker's.
        3 => vec![0, 0, 3, 0x21, 0, 0],
        // One at a time.
        _ => vec![1, 0, 3, 0x21, 0, 1],
    };
    let connections = Arc::new(AtomicUsize::new(0));
    let number = connections.clone();
    let connack = move |connection| {
        number.store(connection, Ordering::Relaxed);
        hello(connection)
    };
    let script = move |_: &Got, unanswered: usize| {
        if connections.load(Ordering::Relaxed) == 3 {
            return Answer::Disconnect(0x82);
        }
        seen.fetch_max(unanswered, Ordering::Relaxed);
        FINE
    };
    let mut centre = Scripted::start(connack, script).await;
    let mut home = Home::new(centre.port).await;
    for _ in 0..20 {
        home.press().await;
    }
    centre.event("cn.anju.alert.raised", FINE).await;
    centre.event("cn.anju.observation.help", FINE).await;
    assert!(most.load(Ordering::Relaxed) <= 1, "the receive maximum was not kept");
}

/// A broker that takes only small packets gets what fits, and is told what did not.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_too_large_for_the_centre_blocks_nothing() {
    // Maximum packet size 1,000 bytes.
    let hello = |_| vec![0, 0, 5, 0x27, 0, 0, 0x03, 0xe8];
    let mut centre = Scripted::start(hello, |_, _| FINE).await;
    let mut home = Home::new(centre.port).await;
    home.press().await;
    let raised = centre.event("cn.anju.alert.raised", FINE).await;
    let alert = raised["data"]["alert"].as_str().unwrap().to_owned();
    let (done, said) =
        home.anju.anju(&["close", &alert, "--outcome", "real", "--note", &"安".repeat(3000)]);
    assert!(done, "{said}");
    let gap = centre.event("cn.anju.box.gap", FINE).await;
    home.press().await;
    let raised = centre.event("cn.anju.alert.raised", FINE).await;
    assert!(raised["data"]["seq"].as_u64() > gap["data"]["to"].as_u64());
}

/// Commands that are kept, old, expired, doubled, malformed, oversized; then rubbish instead of
/// packets. The box answers what can be answered and lives on.
#[tokio::test(flavor = "multi_thread")]
async fn commands_are_refused_with_the_reason_and_rubbish_ends_only_the_connection() {
    let mut centre = Scripted::start(Scripted::fine, |_, _| FINE).await;
    let mut home = Home::new(centre.port).await;
    home.press().await;
    let raised = centre.event("cn.anju.alert.raised", FINE).await;
    let alert = raised["data"]["alert"].as_str().unwrap().to_owned();
    let now = jiff::Timestamp::now();
    let topic = b"anju/1/hz-test/commands";
    let command = |id: &str, time: jiff::Timestamp, more: Value| {
        let mut data = json!({"by": "operator", "alert": alert});
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"specversion": "1.0", "id": id, "type": "cn.anju.command.accept", "source": "/c",
            "time": time.to_string(), "data": data})
        .to_string()
        .into_bytes()
    };
    let hour = jiff::SignedDuration::from_hours(1);
    let bad: [(bool, Vec<u8>, &str); 8] = [
        (true, command("kept", now, json!({})), "retained"),
        (false, command("old", now - hour, json!({})), "5 minutes"),
        (false, command("late", now, json!({"expires": (now - hour).to_string()})), "expired"),
        (false, b"\xff\xfe\x00".to_vec(), "not a command"),
        (false, Vec::new(), "not a command"),
        (false, b"[".repeat(5000), "not a command"),
        (false, command("n", now, json!({"minutes": -1})), "not a command"),
        (false, command("s", now, json!({})).repeat(2), "not a command"),
    ];
    for (pkid, (retain, payload, why)) in (1..).zip(bad) {
        centre.send(publish(topic, pkid, retain, &payload));
        let reply = centre
            .until(why, |event| matches!(event, Event::Published(got, _) if got.topic.ends_with("/replies")))
            .await
            .json();
        assert_eq!(reply["ok"], false, "{reply}");
        assert!(reply["error"].as_str().unwrap().contains(why), "{reply}");
    }
    // The same command twice is carried out once and answered twice.
    for pkid in [100, 101] {
        centre.send(publish(topic, pkid, false, &command("c-1", now, json!({"minutes": 7}))));
    }
    let mut replies = 0;
    let mut accepted = BTreeSet::new();
    while replies < 2 || accepted.is_empty() {
        let event = centre.until("the replies", |_| true).await;
        let json = event.json();
        if json["id"] == "c-1" {
            assert_eq!(json["ok"], true);
            replies += 1;
        }
        if json["type"] == "cn.anju.alert.accepted" {
            accepted.insert(json["id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(accepted.len(), 1);
    let (pid, before) = (home.anju.pid(), memory(home.anju.pid()));
    let mut chance = Chance::new("rubbish from the centre");
    for round in 0..8 {
        let rubbish = match round % 4 {
            0 => chance.bytes(2000),
            // A packet of 250 MiB is announced.
            1 => [vec![0x32, 0xff, 0xff, 0xff, 0x7f], chance.bytes(4000)].concat(),
            // A topic that is not UTF-8; an acknowledgement of nothing.
            2 => [publish(b"\xff\xfe", 9, false, b"x"), vec![0x40, 2, 0x7f, 0xff]].concat(),
            _ => publish(topic, 1, false, &vec![b'x'; 400_000]),
        };
        centre.send(rubbish);
        home.press().await;
        centre.event("cn.anju.observation.help", FINE).await;
        // Whatever it did with that connection, the next one works.
        if round % 4 != 2 {
            centre.send(Vec::new());
        }
    }
    assert!(home.anju.runs());
    assert_eq!(home.anju.pid(), pid);
    let after = memory(pid);
    assert!(after < before + 32 * 1024, "it grew from {before} to {after} KiB");
}

/// Resident memory of a process, KiB.
pub fn memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
}
