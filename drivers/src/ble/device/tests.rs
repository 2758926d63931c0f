use std::time::Duration;

use anju_model::observation::Fall;
use anju_model::{DeviceId, RoomId};

use super::*;

const KEY: &str = "231d39c1d7cc1ab1aee224cd096db932";
/// 25.06 °C and 50.55 % with the counters 0x00112233 and 0x33221100, captured.
const EARLIER: [u8; 15] =
    [0x41, 0xe4, 0x45, 0xf3, 0xc9, 0x96, 0x2b, 0x33, 0x22, 0x11, 0, 0x6c, 0x7c, 0x45, 0x19];
const LATER: [u8; 15] =
    [0x41, 0xa4, 0x72, 0x66, 0xc9, 0x5f, 0x73, 0, 0x11, 0x22, 0x33, 0x78, 0x23, 0x72, 0x14];

struct Bench {
    device: Device,
    start: Instant,
}

impl Bench {
    fn new(kind: DeviceKind, protocol: BleProtocol, key_file: Option<&str>) -> Self {
        let origin = Origin {
            device: DeviceId::new("one").unwrap(),
            kind,
            room: Some(RoomId::new("hall").unwrap()),
            person: None,
        };
        let binding = BleBinding {
            address: "54:48:E6:8F:80:A5".parse().unwrap(),
            protocol,
            key_file: key_file.map(PathBuf::from),
            away_after: Duration::from_secs(180),
        };
        let start = Instant::now();
        let mut device = Device::new(origin, &binding);
        device.listening_began(start);
        Self { device, start }
    }

    fn at(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }

    fn advert(&mut self, seconds: u64, data: &[u8]) -> Vec<Observation> {
        self.device.service_data(0xfcd2, data, self.at(seconds))
    }

    fn near(&mut self, seconds: u64) -> Vec<Observation> {
        self.device.near(Some(-60), self.at(seconds))
    }
}

fn facts(said: &[Observation]) -> Vec<&str> {
    said.iter().map(|said| said.fact.what()).collect()
}

fn trouble(said: &[Observation]) -> Option<bool> {
    said.iter().find_map(|said| match &said.fact {
        Fact::Trouble(trouble) => Some(trouble.active),
        _ => None,
    })
}

#[test]
fn a_press_repeated_over_the_air_is_one_call() {
    let mut bench = Bench::new(DeviceKind::PortableAlarm, BleProtocol::BtHome, None);
    assert_eq!(facts(&bench.advert(0, &[0x44, 0, 7, 0x3a, 1])), ["help"]);
    for second in 0..20 {
        assert_eq!(bench.advert(second, &[0x44, 0, 7, 0x3a, 1]), []);
    }
    // The next press, and a button that always sends the same number, a minute later.
    assert_eq!(facts(&bench.advert(20, &[0x44, 0, 8, 0x3a, 1])), ["help"]);
    assert_eq!(facts(&bench.advert(80, &[0x44, 0, 8, 0x3a, 1])), ["help"]);
    // Without a number the same bytes are one press while they go on.
    let mut bench = Bench::new(DeviceKind::FixedAlarm, BleProtocol::BtHome, None);
    let calls: usize = (0..60).map(|second| bench.advert(second, &[0x40, 0x3a, 1]).len()).sum();
    assert_eq!(calls, 1);
    assert_eq!(facts(&bench.advert(65, &[0x40, 0x3a, 1])), ["help"]);
}

#[test]
fn old_and_forged_adverts_do_not_count_and_become_a_trouble() {
    let mut bench = Bench::new(DeviceKind::Climate, BleProtocol::BtHome, Some("/key"));
    assert_eq!(bench.device.key_wanted(), Some(PathBuf::from("/key")));
    // Before its key is there nothing can be trusted, also what is not encrypted.
    assert_eq!(bench.advert(0, &LATER), []);
    assert_eq!(bench.advert(0, &[0x40, 0x02, 0xca, 0x09]), []);
    let at = bench.at(0);
    let said = bench.device.unlock(Err("no such file".to_owned()), at);
    assert!(said.is_some());
    assert_eq!(bench.device.unlock(Err("no such file".to_owned()), at), None);
    assert_eq!(bench.device.unlock(Ok(Key::parse(KEY).unwrap()), at), None);

    let said = bench.advert(100, &LATER);
    assert_eq!(facts(&said), ["climate", "trouble"]);
    assert!(said[0].baseline);
    assert_eq!(trouble(&said), Some(false));
    let mut troubles = Vec::new();
    for second in 101..111 {
        troubles.extend(trouble(&bench.advert(second, &EARLIER)));
        assert_eq!(trouble(&bench.advert(second, &[0x40, 0x02, 0xca, 0x09])), None);
    }
    assert_eq!(troubles, [true], "told once");
    // The same message again says that it lives, and mends the trouble when the others are gone.
    assert_eq!(trouble(&bench.advert(112, &LATER)), None);
    assert_eq!(trouble(&bench.advert(300, &LATER)), Some(false));
}

#[test]
fn a_badge_is_away_after_its_limit_and_not_before_the_radio_listened() {
    let mut bench = Bench::new(DeviceKind::SmartBadge, BleProtocol::IBeacon, None);
    let present = |said: &[Observation]| {
        said.iter().find_map(|said| match said.fact {
            Fact::Presence(Presence { present }) => Some((present, said.baseline)),
            _ => None,
        })
    };
    assert_eq!(present(&bench.near(10)), Some((true, true)));
    assert_eq!(present(&bench.near(20)), None);
    let at = bench.at(199);
    assert_eq!(bench.device.tick(at), None);
    // The radio was deaf meanwhile.
    bench.device.listening_began(at);
    let at = bench.at(300);
    assert_eq!(bench.device.tick(at), None);
    let at = bench.at(379);
    assert_eq!(present(&Vec::from_iter(bench.device.tick(at))), Some((false, false)));
    assert_eq!(bench.device.tick(at), None);
    assert_eq!(present(&bench.near(400)), Some((true, false)));
}

#[test]
fn a_button_that_only_sends_when_pressed_is_never_away() {
    let mut bench = Bench::new(DeviceKind::PortableAlarm, BleProtocol::BtHome, None);
    bench.advert(0, &[0x44, 0, 7, 0x3a, 1]);
    assert_eq!(facts(&bench.near(0)), ["link"]);
    let at = bench.at(7200);
    assert_eq!(bench.device.tick(at), None);
}

#[test]
fn a_level_is_told_when_it_changes_and_life_is_shown() {
    let mut bench = Bench::new(DeviceKind::DoorContact, BleProtocol::BtHome, None);
    let closed = bench.advert(0, &[0x40, 0x01, 90, 0x1a, 0]);
    assert_eq!(facts(&closed), ["contact", "battery"]);
    assert!(closed.iter().all(|said| said.baseline));
    assert_eq!(bench.advert(10, &[0x40, 0x01, 90, 0x1a, 0]), []);
    let open = bench.advert(20, &[0x40, 0x01, 90, 0x1a, 1]);
    assert_eq!(facts(&open), ["contact"]);
    assert!(!open[0].baseline);
    assert_eq!(bench.near(30), []);
    assert_eq!(facts(&bench.near(20 + 15 * 60)), ["link"]);
}

#[test]
fn a_cuff_that_tells_a_measurement_again_is_heard_once() {
    let mut bench = Bench::new(DeviceKind::BloodPressure, BleProtocol::BloodPressure, None);
    let first = [0x16, 0x78, 0, 0x50, 0, 0x5d, 0, 0xea, 0x07, 6, 4, 8, 0x1e, 0, 0x48, 0, 0, 0];
    let at = bench.at(0);
    let said = bench.device.value(0x2a35, &first, at);
    assert_eq!(facts(&said), ["vital"]);
    assert!(!said[0].baseline);
    assert_eq!(bench.device.value(0x2a35, &first, at), []);
    let mut second = first;
    second[12] = 0x1f;
    assert_eq!(facts(&bench.device.value(0x2a35, &second, at)), ["vital"]);
    // A loose cuff says nothing.
    let mut loose = second;
    loose[13] = 1;
    loose[16] = 0x02;
    assert_eq!(bench.device.value(0x2a35, &loose, at), []);
}

#[test]
fn temperature_and_humidity_are_told_together() {
    let mut bench = Bench::new(DeviceKind::Climate, BleProtocol::Environment, None);
    let at = bench.at(0);
    bench.device.value(0x2a6e, &[0xca, 0x09], at);
    let at = bench.at(90);
    let said = bench.device.value(0x2a6f, &[0xbf, 0x13], at);
    let both = Climate {
        celsius: Some(25.06),
        relative_humidity_percent: Some(50.55),
        ..Climate::default()
    };
    assert_eq!(said.iter().map(|said| &said.fact).collect::<Vec<_>>(), [&both.into()]);
}

#[test]
fn a_fall_button_is_one_fall() {
    let mut bench = Bench::new(DeviceKind::SmartCane, BleProtocol::BtHome, None);
    let said = bench.advert(0, &[0x44, 0, 1, 0x3a, 0, 0x3a, 1]);
    let fall = Fall { state: anju_model::observation::FallState::Suspected };
    assert_eq!(said.iter().map(|said| &said.fact).collect::<Vec<_>>(), [&fall.into()]);
    assert_eq!(bench.advert(1, &[0x44, 0, 1, 0x3a, 0, 0x3a, 1]), []);
}

#[test]
fn what_other_protocols_send_is_passed_over() {
    let mut bench = Bench::new(DeviceKind::Locator, BleProtocol::IBeacon, None);
    assert_eq!(bench.advert(0, &[0x40, 0x3a, 1]), []);
    let at = bench.at(0);
    assert_eq!(bench.device.value(0x2abc, &[1, 2, 3], at), []);
    for second in 0..10 {
        let at = bench.at(second);
        let said = bench.device.manufacturer_data(0x004c, &[0x10, 5], at);
        assert_eq!(trouble(&said), (second == 4).then_some(true));
    }
}
