//! Mains and battery, from the kernel's `power_supply` class (`Documentation/ABI/testing/
//! sysfs-class-power`: micro-units). A battery has to carry 24 h of guarding and two calls of ten
//! minutes; whether it still does is reckoned from what it holds when full, and how long it lasts now
//! from what it holds now and what it gives, as measured or else as assumed.

use std::path::Path;

use super::{folders, line, number};

/// Guarding, without measurement, milliwatts: a Raspberry Pi 4 at rest with a Zigbee stick and a 4G
/// modem on standby draws 3 to 4 W.
const GUARDING_MILLIWATTS: u64 = 3_500;

/// On top of it during a call, milliwatts: modem sending and loudspeaker.
const CALLING_MILLIWATTS: u64 = 2_500;

/// Standby that EN 50134 units carry, hours.
const STANDBY_HOURS: u64 = 24;

/// Two calls of ten minutes.
const CALL_MINUTES: u64 = 20;

/// Below this the battery is low while it carries the box, minutes.
const LOW_MINUTES: u64 = 120;

/// Below this it is low whatever it gives, per cent.
const LOW_PERCENT: u64 = 15;

/// What the kernel shows of mains and battery.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Supply {
    /// Mains is there; none if the box can not tell.
    pub mains: Option<bool>,
    /// The battery.
    pub battery: Option<Battery>,
}

/// A battery.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Battery {
    /// Charge.
    pub percent: Option<u64>,
    /// What it holds now.
    pub milliwatt_hours: Option<u64>,
    /// What it holds when full.
    pub full_milliwatt_hours: Option<u64>,
    /// What it gives now, if it does.
    pub milliwatts: Option<u64>,
}

/// Reads both.
pub fn read(root: &Path) -> Supply {
    let mut supply = Supply::default();
    for folder in folders(&root.join("class/power_supply")) {
        match line(&folder.join("type")).as_deref() {
            Some("Mains" | "USB") => {
                if let Some(online) = number(&folder.join("online")) {
                    supply.mains = Some(supply.mains.unwrap_or(false) || online > 0);
                }
            }
            // The battery of a mouse or a watch is not the box's.
            Some("Battery") if line(&folder.join("scope")).as_deref() != Some("Device") => {
                if number(&folder.join("present")) != Some(0) && supply.battery.is_none() {
                    supply.battery = Some(battery(&folder));
                }
                // Where no mains is shown, a battery that is emptied says that there is none.
                let status = line(&folder.join("status"));
                if supply.mains.is_none() && status.as_deref() == Some("Discharging") {
                    supply.mains = Some(false);
                } else if supply.mains.is_none()
                    && matches!(status.as_deref(), Some("Charging" | "Full" | "Not charging"))
                {
                    supply.mains = Some(true);
                }
            }
            _ => {}
        }
    }
    supply
}

fn battery(folder: &Path) -> Battery {
    let micro = |name: &str| number(&folder.join(name)).and_then(|n| u64::try_from(n).ok());
    let volts = micro("voltage_now").or_else(|| micro("voltage_min_design"));
    // Charge is in microampere hours, energy in microwatt hours.
    let energy = |energy: &str, charge: &str| {
        let of_charge = || Some(micro(charge)? / 1_000 * (volts? / 1_000) / 1_000);
        micro(energy).map(|microwatt_hours| microwatt_hours / 1_000).or_else(of_charge)
    };
    let discharges = line(&folder.join("status")).as_deref() == Some("Discharging");
    let amperes = number(&folder.join("current_now")).map(i64::unsigned_abs);
    let watts = micro("power_now")
        .map(|microwatts| microwatts / 1_000)
        .or_else(|| Some(amperes? / 1_000 * (volts? / 1_000) / 1_000));
    Battery {
        percent: micro("capacity").map(|percent| percent.min(100)),
        milliwatt_hours: energy("energy_now", "charge_now"),
        full_milliwatt_hours: energy("energy_full", "charge_full"),
        milliwatts: watts.filter(|watts| discharges && *watts > 0),
    }
}

impl Battery {
    /// What 24 h of guarding and two calls take, milliwatt hours.
    pub fn budget(&self) -> u64 {
        let guarding = self.milliwatts.unwrap_or(GUARDING_MILLIWATTS);
        guarding * STANDBY_HOURS + (guarding + CALLING_MILLIWATTS) * CALL_MINUTES / 60
    }

    /// Whether even a full battery does not carry that any more.
    pub fn worn(&self) -> bool {
        self.full_milliwatt_hours.is_some_and(|full| full < self.budget())
    }

    /// How long it lasts from now on, two calls included.
    pub fn minutes_left(&self) -> Option<u64> {
        let guarding = self.milliwatts.unwrap_or(GUARDING_MILLIWATTS);
        let full = self.full_milliwatt_hours;
        let of_full = || Some(full? * self.percent? / 100);
        let holds = self.milliwatt_hours.or_else(of_full)?;
        let calls = CALLING_MILLIWATTS * CALL_MINUTES / 60;
        Some(holds.saturating_sub(calls) * 60 / guarding)
    }

    /// Whether it is low; `was` keeps it low until it is clearly more.
    pub fn low(&self, was: bool) -> bool {
        let margin = if was { 5 } else { 4 };
        let short = self.minutes_left().is_some_and(|left| left < LOW_MINUTES * margin / 4);
        let empty = self.percent.is_some_and(|percent| percent < LOW_PERCENT * margin / 4);
        short || empty
    }

    /// The budget, for people.
    pub fn budget_in_words(&self) -> String {
        let full = self.full_milliwatt_hours.unwrap_or_default();
        let (need, full) = (self.budget() / 100, full / 100);
        format!(
            "the box's battery holds {}.{} Wh, and 24 h with two calls take {}.{} Wh; replace it",
            full / 10,
            full % 10,
            need / 10,
            need % 10
        )
    }

    /// What is left, for people.
    pub fn rest_in_words(&self) -> String {
        match self.minutes_left() {
            Some(left) => {
                format!("the box's battery lasts for {left} more minutes; bring mains back")
            }
            None => "the box's battery is nearly empty; bring mains back".to_owned(),
        }
    }
}
