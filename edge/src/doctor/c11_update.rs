//! The slots of the system: which one runs, and whether it is confirmed.

use std::sync::Arc;

use serde_json::Value;

use super::program::{Failed, output};
use super::{Case, Finding, not_applicable, ok, problem};

pub(super) async fn check(_: Arc<Case>) -> Vec<Finding> {
    let told = match output("rauc", &["status", "--detailed", "--output-format=json"]).await {
        Ok(told) => told,
        Err(Failed::Missing) => {
            return vec![not_applicable("this system has no update slots; apt-get updates it")];
        }
        Err(failed) => {
            let what = format!("the updater does not answer: {failed}");
            return vec![problem("", what, "see `rauc status` and `journalctl -u rauc`")];
        }
    };
    vec![judge(&serde_json::from_str(&told).unwrap_or_default())]
}

pub(super) fn judge(told: &Value) -> Finding {
    let booted = told["booted"].as_str().unwrap_or("unknown");
    let slots = told["slots"].as_array().map(Vec::as_slice).unwrap_or_default();
    let bootable = slots.iter().filter_map(Value::as_object).flat_map(|slot| slot.iter());
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (name, slot) in bootable.filter(|(_, slot)| slot["bootname"].is_string()) {
        let state = slot["boot_status"].as_str().unwrap_or("unknown");
        if state == "good" { good.push(name.as_str()) } else { bad.push(name.as_str()) }
    }
    if good.is_empty() && bad.is_empty() {
        return problem("", "the updater names no slot to start from", "see `rauc status`");
    }
    if !bad.is_empty() {
        let what = format!("`{booted}` runs, and {} is not good to start from", bad.join(", "));
        return problem("", what, "install the update again: there is no second system to fall to");
    }
    ok("", format!("`{booted}` runs; {} can be started", good.join(", ")))
}
