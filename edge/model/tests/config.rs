//! The configuration as files: each `config/NAME.toml` must give exactly the faults and the home of
//! `config/NAME.txt`. `UPDATE=1 cargo test` writes the latter, to be read before it is committed.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anju_model::config::{Binding, Guard, Household, Modem, Parsed, parse, parse_with, reference};
use anju_model::{DeviceKind, Language};

fn texts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    paths.sort();
    assert!(paths.len() >= 8, "{paths:?}");
    paths
}

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(name);
    std::fs::read_to_string(path).unwrap()
}

fn told(parsed: &Parsed) -> String {
    let mut out = String::new();
    for fault in &parsed.faults {
        writeln!(out, "{fault} [{}]", fault.path).unwrap();
    }
    match &parsed.household {
        Some(home) => home_told(&mut out, home),
        None => out.push_str("no household\n"),
    }
    out
}

fn home_told(out: &mut String, home: &Household) {
    writeln!(out, "box {} {:?} {:?}", home.box_id, home.language, home.timezone.iana_name())
        .unwrap();
    for person in &home.persons {
        writeln!(out, "{person:?}").unwrap();
    }
    for contact in &home.contacts {
        writeln!(out, "{contact:?}").unwrap();
    }
    writeln!(out, "{:?}", home.channels).unwrap();
    for (id, link) in &home.links {
        writeln!(out, "link {id} {link:?}").unwrap();
    }
    for device in &home.devices {
        writeln!(out, "{device:?}").unwrap();
    }
    if home.guard != Guard::default() {
        writeln!(out, "{:?}", home.guard).unwrap();
    }
    if home.modem != Modem::default() {
        writeln!(out, "{:?}", home.modem).unwrap();
    }
    writeln!(out, "{:?}\n{:?}\n{:?}\n{:?}", home.upstream, home.web, home.speaker, home.journal)
        .unwrap();
}

#[test]
fn each_file_gives_its_faults_and_its_home() {
    for path in texts() {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let found = told(&parse(&text, name));
        let golden = path.with_extension("txt");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&golden, &found).unwrap();
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_sound_home_has_no_faults() {
    let parsed = parse(&read("home.toml"), "home.toml");
    assert_eq!(parsed.faults, []);
    let home = parsed.household.unwrap();
    assert_eq!((home.devices.len(), home.links.len(), home.contacts.len()), (3, 3, 2));
    assert_eq!(home.language, Language::ZhCn);
    assert!(
        matches!(&home.devices[2].binding, Binding::Serial(b) if b.address.as_deref() == Some("000012345678"))
    );
    assert!(home.upstream.is_some_and(|upstream| upstream.tls && upstream.port == 8883));
}

#[test]
fn the_smallest_home_has_the_defaults_of_the_rules() {
    let text = "schema = 1\nbox.id = \"b\"\n[guard.inactivity]\n[guard.not_up]\n\
                [guard.left_home]\n[guard.silent]\n[web]\n[journal]\n";
    let parsed = parse(text, "f");
    assert_eq!(parsed.faults.len(), 1, "only that nobody is told: {:?}", parsed.faults);
    let home = parsed.household.unwrap();
    assert_eq!(home.guard, Guard::default());
    assert_eq!(home.web, anju_model::config::Web::default());
    assert_eq!(home.journal, anju_model::config::JournalLimits::default());
    assert_eq!(home.timezone.iana_name(), Some("Asia/Shanghai"));
}

#[test]
fn secrets_in_the_file_are_refused_and_never_repeated() {
    for name in ["words.toml", "figures.toml"] {
        let parsed = parse(&read(name), name);
        let all = format!("{:?}", parsed.faults);
        for secret in ["letmein", "tk_secret", "hunter2", "pass@"] {
            assert!(!all.contains(secret), "{secret}: {all}");
        }
    }
    let all = format!("{:?}", parse(&read("words.toml"), "f").faults);
    assert!(all.contains("token_file = ") && all.contains("secrets are never written here"));
}

#[test]
fn devices_that_no_driver_serves_are_told() {
    let text = read("home.toml");
    let parsed = parse_with(&text, "f", &|kind, _, protocol| {
        kind != DeviceKind::ElectricityMeter || protocol != "dlt645"
    });
    assert_eq!(parsed.faults.len(), 1);
    assert!(parsed.faults[0].message.contains("serves `electricity-meter` over dlt645"));
    assert_eq!(parsed.household.unwrap().devices.len(), 2);
}

#[test]
fn every_kind_of_device_is_accepted() {
    for kind in DeviceKind::ALL {
        let text = read("home.toml").replace("\"door-contact\"", &format!("\"{kind}\""));
        assert_eq!(parse(&text, "f").faults, [], "{kind}");
    }
}

/// Every key that the reference names is accepted, and every key of the example is in it.
#[test]
fn the_reference_names_every_key() {
    let reference = reference();
    for line in read("example.toml").lines() {
        let key = line.trim_start_matches("# ").split('=').next().unwrap_or_default().trim();
        if line.contains('=') && !line.starts_with('#') {
            assert!(reference.contains(&format!("| `{key}` |")), "{key}");
        }
    }
    for key in ["bias", "debounce", "contact", "heard_within", "password_file", "max_bytes"] {
        assert!(reference.contains(&format!("| `{key}` |")), "{key}");
    }
}

#[test]
fn a_cable_that_nobody_supervises_is_a_warning_and_counts_for_no_kit() {
    let home = |more: &str| {
        let text = format!(
            "schema = 1\nbox.id = \"b\"\n[links.pins]\nkind = \"gpio\"\n\
             [[device]]\nid = \"sos\"\nkind = \"fixed-alarm\"\nlink = \"pins\"\npin = 17\n{more}\n\
             [[device]]\nid = \"pir\"\nkind = \"motion\"\nlink = \"pins\"\npin = 18\n"
        );
        parse(&text, "home.toml")
    };
    let missing = |parsed: &Parsed| parsed.household.as_ref().unwrap().missing_of_the_base_kit();
    let bare = home("");
    let warnings: Vec<String> = bare.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(warnings[0].starts_with("1:1: the base kit lacks a fixed alarm (`fixed-alarm`)"));
    assert!(warnings[1].starts_with("1:1: the base kit lacks a door contact"));
    assert!(warnings[2].starts_with("9:7: the cable of `sos` is not supervised"), "{warnings:?}");
    assert_eq!(missing(&bare), [DeviceKind::FixedAlarm, DeviceKind::DoorContact]);
    let looped = home("loop_pin = 27");
    assert_eq!(missing(&looped), [DeviceKind::DoorContact]);
    assert_eq!(looped.warnings.len(), 1);
}
