//! The clock: alerts carry its time, and certificates and chat robots refuse a wrong one.

use std::path::Path;
use std::sync::Arc;

use anju_model::Clock;

use super::{Case, Finding, ok, problem};
use crate::clock::Clocks;

pub(super) async fn check(_: Arc<Case>) -> Vec<Finding> {
    let stamp = Clocks::new().stamp();
    let battery = if Path::new("/dev/rtc0").exists() || Path::new("/dev/rtc").exists() {
        "there is a clock with a battery"
    } else {
        "there is no clock with a battery, so that the time is unknown after a power cut until \
         the network is back"
    };
    vec![match stamp.clock {
        Clock::Synchronised => ok("", format!("{} (synchronised); {battery}", stamp.wall)),
        Clock::Estimated => problem(
            "",
            format!("{} was not set from the network since the start", stamp.wall),
            "give the box a network, and see `timedatectl timesync-status`",
        ),
        Clock::Unknown => problem(
            "",
            format!("{} is before this program existed", stamp.wall),
            "give the box a network, or set the time with `timedatectl set-time`",
        ),
    }]
}
