//! A box's `/sys` as a folder.

use super::*;

const MIB: u64 = 1 << 20;

struct Sys(tempfile::TempDir);

impl Sys {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join("class/net").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{text}\n")).unwrap();
    }

    fn bytes(&self, name: &str, received: u64, sent: u64) {
        self.write(&format!("{name}/statistics/rx_bytes"), &received.to_string());
        self.write(&format!("{name}/statistics/tx_bytes"), &sent.to_string());
    }

    fn budget(&self) -> Budget {
        Budget::new(self.0.path().to_owned(), self.0.path())
    }
}

fn active(event: Option<BoxEvent>) -> Option<(bool, bool)> {
    event.map(|event| match event {
        BoxEvent::Fault { active, reason, .. } => (active, reason.contains("nearly")),
        other => panic!("{other:?}"),
    })
}

#[test]
fn only_what_goes_by_a_modem_counts() {
    let sys = Sys::new();
    sys.bytes("eth0", 5, 5);
    sys.bytes("wwan0", 10, 1);
    sys.bytes("ppp0", 20, 2);
    sys.bytes("wwx0c5b8f", 30, 3);
    sys.write("wwx0c5b8f/uevent", "DEVTYPE=wwan\nINTERFACE=wwx0c5b8f");
    sys.write("wwan1/statistics/rx_bytes", "rubbish");
    sys.bytes("usb0", 40, 4);
    let known = BTreeSet::from(["usb0".to_owned()]);
    let found: Vec<(String, u64)> = counters(sys.0.path(), &known).into_iter().collect();
    let expected = [("ppp0", 22), ("usb0", 44), ("wwan0", 11), ("wwx0c5b8f", 33)];
    assert_eq!(found, expected.map(|(name, bytes)| (name.to_owned(), bytes)));
    assert!(counters(Path::new("/nowhere"), &known).is_empty());
}

#[test]
fn the_month_is_told_at_four_fifths_and_at_its_end_and_is_over_with_the_next() {
    let sys = Sys::new();
    let mut budget = sys.budget();
    let mut look = |month: &str, received: u64| {
        sys.bytes("wwan0", received, 0);
        active(budget.look(Some(month), "a", Some(100 * MIB)))
    };
    assert_eq!(look("2026-11", 79 * MIB), None);
    assert_eq!(look("2026-11", 80 * MIB), Some((true, true)));
    assert_eq!(look("2026-11", 99 * MIB), None);
    assert_eq!(look("2026-11", 100 * MIB), Some((true, false)));
    assert_eq!(look("2026-11", 300 * MIB), None);
    assert_eq!(look("2026-12", 301 * MIB), Some((false, false)));
    assert_eq!(look("2026-12", 379 * MIB), None);
    assert_eq!(look("2026-12", 381 * MIB), Some((true, true)));
}

#[test]
fn the_account_goes_on_over_starts_lost_interfaces_and_unknown_clocks() {
    let sys = Sys::new();
    let used = |boot: &str, month: Option<&str>, received: u64| {
        sys.bytes("wwan0", received, 0);
        // Each time as after a start of the program.
        let mut budget = sys.budget();
        budget.look(month, boot, None);
        budget.account.bytes
    };
    assert_eq!(used("a", None, 10), 10);
    assert_eq!(used("a", Some("2026-11"), 15), 15, "before a clock was known: the first month");
    assert_eq!(used("a", Some("2026-11"), 15), 15, "a start of the program counts nothing twice");
    assert_eq!(used("a", Some("2026-11"), 4), 19, "the modem was reset");
    assert_eq!(used("b", Some("2026-11"), 6), 25, "the box was started anew");
    assert_eq!(used("b", None, 7), 26);
    assert_eq!(used("b", Some("2026-12"), 9), 2);
    std::fs::write(sys.0.path().join(FILE), "{broken").unwrap();
    assert_eq!(used("c", Some("2026-12"), 1), 1);
}
