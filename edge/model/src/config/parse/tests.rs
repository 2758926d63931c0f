use proptest::prelude::*;

use super::*;
use crate::config::{Binding, ChannelKind, Hours};

const HOME: &str = include_str!("home.toml");

fn faults(text: &str) -> Vec<String> {
    let parsed = parse(text, "home.toml");
    parsed
        .faults
        .iter()
        .map(|f| format!("{}:{}: {}; {}", f.line, f.col, f.message, f.mend))
        .collect()
}

#[test]
fn a_whole_home_has_no_faults() {
    assert_eq!(faults(HOME), Vec::<String>::new());
    let home = parse(HOME, "home.toml").household.unwrap();
    assert_eq!(home.box_id.as_str(), "hz-000123");
    assert_eq!((home.devices.len(), home.links.len(), home.contacts.len()), (3, 3, 2));
    assert_eq!(home.contacts[0].channels, [ChannelKind::Sms, ChannelKind::Ntfy]);
    assert!(matches!(home.contacts[1].hours, Hours::Weekly { from_minute: 510, .. }));
    assert!(matches!(&home.devices[2].binding, Binding::Serial(b) if b.address == "000012345678"));
    let upstream = home.upstream.unwrap();
    assert!(upstream.tls && upstream.port == 8883);
}

/// Each change to the home, what it must be told, and how many devices and contacts are left.
const CHANGES: &[(&str, &str, &str, usize, usize)] = &[
    ("pin = 17", "pim = 17", "43:1: unknown key `pim`; did you mean `pin`?", 2, 2),
    ("pin = 17", "pin = -1", "43:7: a whole number is expected, not `-1`; use 0 to 1023", 2, 2),
    ("kind = \"door-contact\"", "kind = \"dor-contact\"", "did you mean \"door-contact\"?", 2, 2),
    (
        "link = \"rs485\"",
        "link = \"rs48\"",
        "there is no usable link `rs48`; did you mean \"rs485\"?",
        2,
        2,
    ),
    ("kind = \"serial\"", "kind = \"zerial\"", "did you mean \"serial\"?", 2, 2),
    ("phone = \"+8613800000000\"", "phone = \"120\"", "never dials public emergency numbers", 3, 1),
    ("window = \"60s\"", "window = \"60\"", "`60` is not a duration", 3, 1),
    (
        "hours = \"always\"",
        "hours = \"sun 00:00-24:00\"",
        "nobody can be tried on mon at 00:00",
        3,
        2,
    ),
    ("warn_after = \"4h\"", "warn_after = \"9h\"", "the alarm would come before the warning", 3, 2),
    ("listen = \"127.0.0.1:8080\"", "listen = \"0.0.0.0:80\"", "only loopback is allowed", 3, 2),
    ("timezone = \"Asia/Shanghai\"", "timezone = \"Asia/Nowhere\"", "is not a time zone", 3, 2),
    ("token_file = \"/etc/anju/ntfy.token\"", "token = \"secret\"", "secrets stay in files", 3, 2),
    ("id = \"front-door\"", "id = \"sos-bedroom\"", "another device has this id", 2, 2),
    ("poll = \"60s\"", "poll = \"60s", "mend the syntax", 2, 2),
    ("schema = 1", "schema = 2", "schema 2 is newer", 3, 2),
    ("ca = \"/etc/anju/ca.pem\"", "ca = \"ca.pem\"", "not an absolute path", 3, 2),
];

#[test]
fn each_fault_is_told_and_loses_only_its_part() {
    for (from, to, told, devices, contacts) in CHANGES {
        assert!(HOME.contains(from), "{from}");
        let text = HOME.replacen(from, to, 1);
        let found = faults(&text);
        assert!(found.iter().any(|f| f.contains(told)), "{to}: {found:?}");
        let home = parse(&text, "home.toml").household.expect(to);
        assert_eq!((home.devices.len(), home.contacts.len()), (*devices, *contacts), "{to}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let mut text = HOME.to_owned();
    for (from, to, ..) in &CHANGES[..7] {
        text = text.replacen(from, to, 1);
    }
    assert!(faults(&text).len() >= 6, "{:?}", faults(&text));
}

#[test]
fn without_a_box_id_there_is_no_home() {
    assert!(parse("", "x").household.is_none());
    assert!(parse("schema = 1\n[box]\nid = \"UPPER\"\n", "x").household.is_none());
    assert!(parse("\u{0}\u{ffff}[[[", "x").household.is_none());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,300}") {
        parse(&text, "x");
    }

    #[test]
    fn no_change_to_a_home_makes_it_panic(at in 0..2000usize, cut in 0..80usize, put in "[\\PC\n]{0,12}") {
        let text: String = HOME.chars().take(at).chain(put.chars()).chain(HOME.chars().skip(at + cut)).collect();
        parse(&text, "x");
    }
}
