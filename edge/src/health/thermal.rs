//! The box's temperature, from the kernel's thermal zones (thousandths of a degree). Figures: a
//! Raspberry Pi slows down at 80 degrees Celsius; below 0 its batteries must not be charged.

use std::path::Path;

use super::{folders, number};

/// Too hot from here on, degrees Celsius.
const HOT: f64 = 80.0;
/// Too cold from here on.
const COLD: f64 = 0.0;
/// Back by this much ends it.
const BACK: f64 = 5.0;

/// The hottest zone, degrees Celsius.
pub fn hottest(root: &Path) -> Option<f64> {
    folders(&root.join("class/thermal"))
        .iter()
        .filter(|zone| {
            zone.file_name().is_some_and(|name| name.to_string_lossy().starts_with("thermal_zone"))
        })
        .filter_map(|zone| i32::try_from(number(&zone.join("temp"))?).ok())
        .map(|millidegrees| f64::from(millidegrees) / 1000.0)
        // A zone that is not connected shows impossible values.
        .filter(|celsius| (-60.0..150.0).contains(celsius))
        .reduce(f64::max)
}

/// Whether it is too hot; `was` keeps it so until it is clearly less.
pub fn is_hot(celsius: f64, was: bool) -> bool {
    celsius >= if was { HOT - BACK } else { HOT }
}

/// Whether it is too cold; `was` keeps it so until it is clearly more.
pub fn is_cold(celsius: f64, was: bool) -> bool {
    celsius <= if was { COLD + BACK } else { COLD }
}
