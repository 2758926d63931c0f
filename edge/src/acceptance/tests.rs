//! Acceptances as tables, under a virtual clock.

use anju_model::config::{self, Household};
use anju_model::observation::{Contact, Help, Online, Smoke};
use anju_model::{AlertChange, Class, EntryId, Language, Rule, Subject};
use anju_respond::texts::Texts;

use super::*;

const SECOND: u64 = 1000;

fn home() -> Household {
    let text = r#"schema = 1
[box]
id = "b"
[[contact]]
id = "centre"
role = "centre"
channels = ["centre"]
[upstream]
url = "mqtt://127.0.0.1:1"
[links.zigbee]
kind = "mqtt"
url = "mqtt://127.0.0.1:1"
dialect = "zigbee2mqtt"
[[device]]
id = "sos"
kind = "fixed-alarm"
link = "zigbee"
address = "a"
[[device]]
id = "door"
kind = "door-contact"
link = "zigbee"
address = "b"
[[device]]
id = "smoke"
kind = "smoke"
link = "zigbee"
address = "c"
"#;
    config::parse(text, "f").household.unwrap()
}

fn id(name: &str) -> DeviceId {
    DeviceId::new(name).unwrap()
}

struct Bench {
    acceptance: Acceptance,
    now: Moment,
}

impl Bench {
    fn new() -> Self {
        Self { acceptance: Acceptance::new(&home()), now: Moment(0) }
    }

    fn origin(&self, device: &str) -> Origin {
        let found = self.acceptance.devices.iter().find(|(d, _)| d.device.as_str() == device);
        found.unwrap().0.clone()
    }

    fn start(&mut self, device: Option<&str>) -> Vec<String> {
        let device = device.map(id);
        told(&self.acceptance.start(device.as_ref(), "installer", self.now).unwrap())
    }

    /// The device says something; the guard raises what follows from it.
    fn say(&mut self, device: &str, fact: impl Into<Fact>, rule: Option<Rule>) -> Vec<String> {
        let mut said = Observation::new(self.origin(device), fact);
        said.test = self.acceptance.under_test(&said.origin.device, self.now);
        let mut effects = self.acceptance.observe(&said, self.now);
        if let Some(rule) = rule {
            let subject = Subject {
                alert: AlertId::of_entry(&EntryId {
                    box_id: anju_model::BoxId::new("b").unwrap(),
                    epoch: 1,
                    seq: 7,
                }),
                class: Class::Alarm,
                rule,
                device: Some(said.origin.device.clone()),
                kind: None,
                room: None,
                person: None,
                code: 0,
                test: said.test,
                text: String::new(),
            };
            let change = AlertChange { subject, step: AlertStep::Raised { since: None } };
            effects.extend(self.acceptance.alert(&change, self.now));
        }
        told(&effects)
    }

    fn pass(&mut self, seconds: u64) -> Vec<String> {
        self.now = Moment(self.now.0 + seconds * SECOND);
        told(&self.acceptance.tick(self.now))
    }

    fn tested(&self, device: &str) -> bool {
        self.acceptance.under_test(&id(device), self.now)
    }
}

fn told(effects: &[Effect]) -> Vec<String> {
    effects
        .iter()
        .map(|effect| match effect {
            Effect::Record(event) => {
                let BoxEvent::Acceptance { device, result, missing, .. } = &**event else {
                    panic!("{event:?}")
                };
                format!("{device} {result} {}", missing.join("+")).trim_end().to_owned()
            }
            Effect::Sound(device) => format!("sound {device}"),
            Effect::TellAnew(device) => format!("tell anew {device}"),
            Effect::Close(alert) => format!("close {alert}"),
        })
        .collect()
}

#[test]
fn a_button_passes_with_its_press_and_its_alert() {
    let mut bench = Bench::new();
    assert!(!bench.tested("sos"));
    assert_eq!(bench.start(Some("sos")), ["sos started pressed+alert"]);
    assert!(bench.tested("sos") && !bench.tested("door"));
    assert_eq!(bench.say("sos", Help::cancelled(), None), Vec::<String>::new());
    let passed = bench.say("sos", Help::pressed(), Some(Rule::Help));
    assert_eq!(passed, ["sos passed", "close b/1/7"]);
    // A press soon after it is a real one.
    bench.pass(3);
    assert!(!bench.tested("sos"));
}

#[test]
fn a_press_without_an_alert_fails_and_silence_times_out() {
    let mut bench = Bench::new();
    bench.start(Some("sos"));
    bench.say("sos", Help::pressed(), None);
    assert_eq!(bench.pass(119), Vec::<String>::new());
    assert_eq!(bench.pass(1), ["sos failed alert"]);
    bench.start(Some("sos"));
    assert_eq!(bench.pass(120), ["sos timed-out pressed+alert"]);
    assert!(!bench.tested("sos"), "a silent button is not left under test");
}

#[test]
fn devices_are_taken_one_after_another() {
    let mut bench = Bench::new();
    assert_eq!(bench.start(None), ["sos started pressed+alert"]);
    let already = bench.acceptance.start(Some(&id("door")), "x", bench.now);
    assert_eq!(already, Err(Refused::Already(id("door"))));
    let next = bench.say("sos", Help::pressed(), Some(Rule::Help));
    assert_eq!(next, ["sos passed", "close b/1/7", "door started open+closed"]);
    bench.say("door", Contact { open: true }, None);
    let next = bench.say("door", Contact { open: false }, None);
    assert_eq!(next, ["door passed", "smoke started smoke+alert"]);
    let sounds = Smoke { alarm: true, self_test: true };
    let passed = bench.say("smoke", sounds, Some(Rule::Smoke));
    assert_eq!(passed, ["smoke passed", "close b/1/7"]);
    // It goes on sounding.
    bench.pass(20);
    assert!(bench.tested("smoke"));
    bench.pass(20);
    assert!(!bench.tested("smoke"));
    let report = bench.acceptance.report(bench.now);
    assert!(report.devices.iter().all(|row| row.result == Some(Outcome::Passed)));
    assert!(report.running.is_none() && report.waiting.is_empty());
}

#[test]
fn what_others_say_and_what_was_known_before_passes_nothing() {
    let mut bench = Bench::new();
    bench.start(Some("door"));
    assert_eq!(bench.say("sos", Help::pressed(), Some(Rule::Help)), Vec::<String>::new());
    let kept = Observation::new(bench.origin("door"), Contact { open: true }).as_baseline();
    assert!(bench.acceptance.observe(&kept, bench.now).is_empty());
    assert_eq!(bench.say("door", Contact { open: false }, None), Vec::<String>::new());
    assert_eq!(bench.pass(120), ["door failed open"]);
}

#[test]
fn a_lost_device_fails_and_stop_ends_all() {
    let mut bench = Bench::new();
    bench.start(None);
    let lost = Online { online: false, reason: None };
    assert_eq!(
        bench.say("sos", lost, None),
        ["sos failed pressed+alert", "door started open+closed"]
    );
    let stopped = told(&bench.acceptance.stop(bench.now));
    assert_eq!(stopped, ["door stopped open+closed"]);
    assert_eq!(bench.acceptance.next_tick(), None);
    assert_eq!(
        bench.acceptance.start(Some(&id("nowhere")), "x", bench.now),
        Err(Refused::Unknown(id("nowhere")))
    );
}

#[test]
fn results_are_read_back_and_what_was_cut_off_is_stopped() {
    let mut bench = Bench::new();
    let event = |device: &str, result: &str| BoxEvent::Acceptance {
        device: device.into(),
        kind: String::new(),
        result: result.into(),
        met: Vec::new(),
        missing: Vec::new(),
        by: String::new(),
    };
    for (device, result) in [("sos", "started"), ("sos", "passed"), ("door", "started")] {
        bench.acceptance.recall(&event(device, result), Moment(1));
    }
    let results: Vec<_> =
        bench.acceptance.report(bench.now).devices.into_iter().map(|row| row.result).collect();
    assert_eq!(results, [Some(Outcome::Passed), Some(Outcome::Stopped), None]);
    let mut smaller = home();
    smaller.devices.retain(|d| d.id.as_str() != "door");
    bench.start(Some("door"));
    assert_eq!(
        told(&bench.acceptance.configure(&smaller, bench.now)),
        ["door stopped open+closed"]
    );
}

#[test]
fn every_kind_has_its_step_and_its_sentence() {
    for language in Language::ALL {
        let texts = Texts::new(language);
        for kind in DeviceKind::ALL {
            assert!(texts.has(&format!("acceptance-{kind}")), "{kind} in {}", language.tag());
            let step = steps::of(kind);
            assert!(!step.expects.is_empty() && !step.within.is_zero());
            let alerts = step.expects.contains(&Expect::Alert);
            assert_eq!(alerts, !step.alerts.is_empty(), "{kind}");
        }
    }
}
