//! The base kit: a fixed alarm, a motion sensor and a door contact that count, and no wired alarm
//! whose cable nobody supervises.

use std::sync::Arc;

use anju_model::{DeviceKind, Language};

use super::{Case, Finding, not_applicable, ok, problem};

pub(super) async fn check(case: Arc<Case>) -> Vec<Finding> {
    let Some(home) = &case.household else {
        return vec![not_applicable("there is no configuration")];
    };
    let missing = home.missing_of_the_base_kit();
    let core = DeviceKind::ALL.into_iter().filter(|kind| kind.core());
    let kinds = core.map(|kind| {
        if missing.contains(&kind) {
            let what = format!("the home has no {} that counts", kind.name(Language::En));
            problem(kind.as_str(), what, "add one; a wired trigger counts with a supervised cable")
        } else {
            ok(kind.as_str(), "there is one")
        }
    });
    let wires = home.devices.iter().filter(|device| device.unsupervised()).map(|device| {
        problem(
            device.id.as_str(),
            "its cable is not supervised: cut, it is mute and nobody knows",
            "wire the other throw of a change-over contact to a second line, and give it as `loop_pin`",
        )
    });
    kinds.chain(wires).collect()
}
