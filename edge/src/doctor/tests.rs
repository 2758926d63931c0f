use super::*;

#[test]
fn numbers_rise_by_one_and_names_are_unique() {
    let numbers: Vec<u32> = CHECKS.iter().map(|check| check.number).collect();
    assert_eq!(numbers, (1..=13).collect::<Vec<_>>());
    let names: std::collections::BTreeSet<_> = CHECKS.iter().map(|check| check.name).collect();
    assert_eq!(names.len(), CHECKS.len());
}

#[test]
fn a_line_says_what_to_do() {
    let found = problem("zigbee", "nobody answers", "start it");
    assert_eq!(
        line(5, "links", &found),
        " 5 PROBLEM  links zigbee: nobody answers\n            to do: start it"
    );
    assert_eq!(line(2, "clock", &ok("", "fine")), " 2 ok       clock: fine");
}

#[test]
fn slots_are_judged_by_whether_they_can_be_started() {
    let slots = |a: &str, b: &str| {
        serde_json::json!({"booted": "A", "slots": [
            {"rootfs.0": {"bootname": "A", "boot_status": a}},
            {"rootfs.1": {"bootname": "B", "boot_status": b}},
            {"data.0": {"boot_status": null, "bootname": null}},
        ]})
    };
    assert!(matches!(c11_update::judge(&slots("good", "good")).verdict, Verdict::Ok { .. }));
    let bad = c11_update::judge(&slots("good", "bad"));
    assert!(matches!(bad.verdict, Verdict::Problem { what, .. } if what.contains("rootfs.1")));
    let none = c11_update::judge(&Value::Null);
    assert!(matches!(none.verdict, Verdict::Problem { .. }));
}

#[tokio::test]
async fn a_program_that_is_absent_fails_or_hangs_is_told() {
    assert!(matches!(program::output("no-such-program", &[]).await, Err(program::Failed::Missing)));
    assert!(matches!(program::output("false", &[]).await, Err(program::Failed::Otherwise(_))));
    assert_eq!(program::output("echo", &["x"]).await.unwrap(), "x\n");
}
