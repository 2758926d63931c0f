//! Whatever the text, parsing ends without a panic, points into the text, and one changed line of a
//! sound home never loses what has nothing to do with it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use anju_model::config::{MAX_FAULTS, parse};
use proptest::prelude::*;

const HOME: &str = include_str!("config/home.toml");

fn check(text: &str) {
    let parsed = parse(text, "f");
    let lines = text.lines().count().max(1);
    assert!(parsed.faults.len() <= MAX_FAULTS + 1);
    for fault in &parsed.faults {
        assert!(fault.line >= 1 && fault.line <= lines + 1, "{fault}");
        let width = text.lines().nth(fault.line - 1).map_or(0, |line| line.chars().count());
        assert!(fault.col >= 1 && fault.col <= width + 2, "{fault}");
        assert!(!fault.message.is_empty() && !fault.mend.is_empty());
        assert!(!fault.to_string().contains('\n'));
    }
    // A home without faults is a home.
    assert!(parsed.household.is_some() || !parsed.faults.is_empty());
}

fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("[".to_owned()),
        Just("]]".to_owned()),
        Just("\"\"\"".to_owned()),
        Just("\n[[device]]\n".to_owned()),
        Just("\n[box]\n".to_owned()),
        Just("= {a = 1}".to_owned()),
        Just("\u{0}".to_owned()),
        Just("女".to_owned()),
        Just("9223372036854775808".to_owned()),
        Just("1979-05-27T07:32:00Z".to_owned()),
        Just("nan".to_owned()),
        "[a-z_]{1,12} = \"[^\"]{0,20}\"\n",
        "\\PC{0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        check(&text);
    }

    #[test]
    fn fragments(parts in prop::collection::vec(fragment(), 0..40)) {
        check(&parts.concat());
    }

    #[test]
    fn a_home_with_edits(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0usize..30, fragment()), 1..6),
    ) {
        let mut text: Vec<char> = HOME.chars().collect();
        for (at, cut, insert) in edits {
            let start = at.index(text.len() + 1);
            let end = (start + cut).min(text.len());
            text.splice(start..end, insert.chars());
        }
        check(&text.into_iter().collect::<String>());
    }

    /// A line that is wrecked in any way loses at most one contact or device or one link with its
    /// device, never the home (unless it is the box's own id or heading).
    #[test]
    fn one_wrecked_line(line in any::<prop::sample::Index>(), with in "[^\n\r]{0,30}") {
        let lines: Vec<&str> = HOME.lines().collect();
        let at = line.index(lines.len());
        // A multi-line string may swallow all that follows; so may a heading take over its rows.
        prop_assume!(!with.contains("\"\"\"") && !with.contains("'''") && !with.contains('['));
        prop_assume!(!lines[at].starts_with("[box]") && !lines[at].contains("hz-000123"));
        let mut changed = lines.clone();
        changed[at] = &with;
        let parsed = parse(&changed.join("\n"), "f");
        let home = parsed.household.expect("a home");
        prop_assert!(home.contacts.len() + usize::from(lines[at].starts_with('[')) >= 1);
        prop_assert!(home.devices.len() + 2 >= 3, "{:?}", parsed.faults);
    }
}

#[test]
fn large_and_deep_texts_end_soon() {
    let begin = own_time();
    check(&"[".repeat(100_000));
    check(&"a = [".repeat(50_000));
    check(&format!("a = {}", "{b = ".repeat(50_000)));
    check(&"[[device]]\nid = \n".repeat(20_000));
    check(&"[[device]]\nid = \"x\"\n".repeat(20_000));
    check(&(0..50_000).map(|n| format!("key{n} = {n}\n")).collect::<String>());
    check(&"x".repeat(3 << 20));
    // Far above what it takes, far below what a search without bounds would.
    let took = own_time() - begin;
    assert!(took < 60, "{took} s");
}

/// Processor time of this thread, seconds: what others do on the machine does not count.
fn own_time() -> i64 {
    rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).tv_sec
}
