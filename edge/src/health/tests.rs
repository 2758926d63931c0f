//! A box's `/sys` as a folder.

use std::path::Path;

use super::*;

struct Sys {
    folder: tempfile::TempDir,
    health: Health,
}

impl Sys {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let health = Health::new(folder.path().to_owned());
        Self { folder, health }
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{text}\n")).unwrap();
    }

    fn power(&self, mains: bool, percent: u64, microwatt_hours: u64) {
        let battery = "class/power_supply/battery";
        self.write("class/power_supply/ac/type", "Mains");
        self.write("class/power_supply/ac/online", if mains { "1" } else { "0" });
        self.write(&format!("{battery}/type"), "Battery");
        self.write(&format!("{battery}/present"), "1");
        self.write(&format!("{battery}/status"), if mains { "Full" } else { "Discharging" });
        self.write(&format!("{battery}/capacity"), &percent.to_string());
        self.write(&format!("{battery}/energy_full"), "100000000");
        self.write(&format!("{battery}/energy_now"), &microwatt_hours.to_string());
        self.write(&format!("{battery}/power_now"), "3000000");
    }

    fn look(&mut self) -> Vec<String> {
        let told = self.health.look().into_iter();
        told.filter_map(|event| match event {
            BoxEvent::Power { mains } => Some(format!("mains {mains}")),
            BoxEvent::Fault { part, active, .. } => Some(format!("{part} {active}")),
            _ => None,
        })
        .collect()
    }
}

#[test]
fn a_box_that_shows_nothing_tells_nothing() {
    let mut sys = Sys::new();
    let told = sys.health.look();
    assert!(matches!(told.as_slice(), [BoxEvent::Health { battery_percent: None, .. }]));
    assert!(sys.health.look().is_empty(), "the figures are told every six hours");
}

#[test]
fn mains_lost_is_looked_at_twice_and_the_battery_told_when_it_ends() {
    let mut sys = Sys::new();
    sys.power(true, 100, 100_000_000);
    assert_eq!(sys.look(), Vec::<String>::new());
    sys.power(false, 99, 99_000_000);
    assert_eq!(sys.look(), Vec::<String>::new());
    assert_eq!(sys.look(), ["mains false"]);
    // At 3 W: 7.5 Wh less the two calls are more than two hours, 5.8 Wh less.
    sys.power(false, 20, 7_500_000);
    assert_eq!(sys.look(), Vec::<String>::new());
    sys.power(false, 20, 5_800_000);
    assert_eq!(sys.look(), ["battery:low true"]);
    sys.power(true, 21, 6_000_000);
    assert_eq!(sys.look(), Vec::<String>::new());
    assert_eq!(sys.look(), ["mains true", "battery:low false"]);
}

#[test]
fn a_battery_that_does_not_carry_a_day_is_worn_and_one_that_is_gone_is_missed() {
    let mut sys = Sys::new();
    sys.power(true, 100, 60_000_000);
    // Assumed: 3.5 W for 24 h and 6 W for 20 minutes are 86 Wh.
    sys.write("class/power_supply/battery/energy_full", "85000000");
    assert_eq!(sys.look(), ["battery:worn true"]);
    sys.write("class/power_supply/battery/energy_full", "87000000");
    assert_eq!(sys.look(), ["battery:worn false"]);
    sys.write("class/power_supply/battery/present", "0");
    assert_eq!(sys.look(), ["battery:missing true"]);
}

#[test]
fn a_gauge_that_counts_charge_is_understood() {
    let sys = Sys::new();
    let battery = "class/power_supply/bq27";
    for (name, text) in [
        ("type", "Battery"),
        ("status", "Discharging"),
        ("capacity", "50"),
        ("voltage_now", "3700000"),
        ("charge_full", "10000000"),
        ("charge_now", "5000000"),
        ("current_now", "-1000000"),
    ] {
        sys.write(&format!("{battery}/{name}"), text);
    }
    let supply = battery::read(sys.folder.path());
    assert_eq!(supply.mains, Some(false), "no mains is shown, and the battery is emptied");
    let battery = supply.battery.unwrap();
    assert_eq!(battery.milliwatts, Some(3_700));
    assert_eq!(battery.full_milliwatt_hours, Some(37_000));
    assert_eq!(battery.minutes_left(), Some((18_500 - 833) * 60 / 3_700));
}

#[test]
fn heat_and_cold_have_a_way_back() {
    let mut sys = Sys::new();
    let mut told = Vec::new();
    for millidegrees in [50_000, 79_900, 80_000, 76_000, 74_900, 0, 4_000, 6_000, -200_000] {
        sys.write("class/thermal/thermal_zone0/temp", &millidegrees.to_string());
        told.extend(sys.look());
    }
    assert_eq!(
        told,
        [
            "temperature:hot true",
            "temperature:hot false",
            "temperature:cold true",
            "temperature:cold false"
        ]
    );
}

#[test]
fn storage_tells_its_wear_and_what_was_written() {
    let mut sys = Sys::new();
    let card = "class/mmc_host/mmc0/mmc0:0001";
    sys.write(&format!("{card}/life_time"), "0x02 0x03");
    sys.write(&format!("{card}/pre_eol_info"), "0x01");
    sys.write("block/mmcblk0/stat", "10 0 80 5 20 0 2048 7 0 12 12 0 0 0 0");
    sys.write("block/mmcblk0boot0/stat", "1 0 8 0 9 0 999 0 0 0 0 0 0 0 0");
    sys.write("block/loop0/stat", "1 0 8 0 9 0 999 0 0 0 0 0 0 0 0");
    let storage = storage::read(sys.folder.path());
    assert_eq!(storage.used_percent, Some(30));
    assert_eq!(storage.written_bytes, Some(2048 * 512));
    assert_eq!(sys.look(), Vec::<String>::new());
    sys.write(&format!("{card}/life_time"), "0x08 0x01");
    assert_eq!(sys.look(), ["storage:wear true"]);
    sys.write(&format!("{card}/life_time"), "0x01 0x01");
    sys.write(&format!("{card}/pre_eol_info"), "0x03");
    assert_eq!(sys.look(), Vec::<String>::new());
    sys.write(&format!("{card}/life_time"), "garbage");
    sys.write(&format!("{card}/pre_eol_info"), "");
    assert_eq!(sys.look(), ["storage:wear false"]);
}

#[test]
fn this_machines_own_files_are_read_without_harm() {
    let mut health = Health::new(Path::new("/sys").to_owned());
    health.look();
}
