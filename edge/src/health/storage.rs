//! Wear of the storage. An eMMC says in steps of a tenth how much of its life is used up, and how
//! much of its reserve is left (JEDEC eMMC 5.0, EXT_CSD 267 to 269, shown by the kernel as `life_time`
//! and `pre_eol_info`); a plain SD card says neither, of it only the bytes written are known.

use std::path::Path;

use super::{folders, line};

/// Told from here on, per cent of its life.
const WORN_PERCENT: u64 = 80;

/// The kernel counts sectors of this size, whatever the device's are.
const SECTOR_BYTES: u64 = 512;

/// What is known of the storage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Storage {
    /// Life used up, at most.
    pub used_percent: Option<u64>,
    /// 1 in order, 2 most of the reserve used, 3 nearly all of it.
    pub reserve: Option<u64>,
    /// Written since the kernel started.
    pub written_bytes: Option<u64>,
}

impl Storage {
    /// What is wrong, if anything is.
    pub fn wear_in_words(&self) -> Option<String> {
        let used = self.used_percent.filter(|used| *used >= WORN_PERCENT);
        if self.reserve.is_some_and(|reserve| reserve >= 2) {
            return Some("the storage has little reserve left; replace it soon".to_owned());
        }
        used.map(|used| format!("{used} % of the storage's life is used up; plan to replace it"))
    }
}

/// Reads the cards and chips of all hosts; the worst counts.
pub fn read(root: &Path) -> Storage {
    let mut storage = Storage::default();
    for host in folders(&root.join("class/mmc_host")) {
        for card in folders(&host) {
            if let Some(text) = line(&card.join("life_time")) {
                let used = text.split_ascii_whitespace().filter_map(hex).max();
                // 1 is up to 10 %, 2 up to 20 %, 11 beyond the estimate; 0 is not defined.
                let percent = used.filter(|step| (1..=11).contains(step)).map(|step| step * 10);
                storage.used_percent = storage.used_percent.max(percent);
            }
            let reserve = line(&card.join("pre_eol_info")).and_then(|text| hex(&text));
            storage.reserve = storage.reserve.max(reserve.filter(|step| (1..=3).contains(step)));
        }
    }
    for block in folders(&root.join("block")) {
        let name = block.file_name().map(|name| name.to_string_lossy().into_owned());
        let whole = name.is_some_and(|name| name.starts_with("mmcblk") && !name.contains("boot"));
        if !whole {
            continue;
        }
        let stat = line(&block.join("stat")).unwrap_or_default();
        let sectors = stat.split_ascii_whitespace().nth(6).and_then(|n| n.parse::<u64>().ok());
        if let Some(sectors) = sectors {
            let bytes = sectors.saturating_mul(SECTOR_BYTES);
            storage.written_bytes = Some(storage.written_bytes.unwrap_or(0).saturating_add(bytes));
        }
    }
    storage
}

fn hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok()
}
