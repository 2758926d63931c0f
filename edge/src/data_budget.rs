//! How much goes through the 4G modem in a calendar month, against what its contract has. It tells
//! by day that the contract runs out; it must never hold anything back: an alert is worth its bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anju_model::BoxEvent;
use anju_uplinks::Kind;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::Clocks;
use crate::core::{Message, View};
use crate::health::{folders, number};

/// How often the counters are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// How often the account is written while it changes; the card is spared, and a power cut costs the
/// count of this long.
const WRITTEN_EVERY: u32 = 15;

/// Told from this part of the budget on, per cent.
const TOLD_FROM: u64 = 80;

/// The part of the box that is broken while the budget runs out.
const PART: &str = "modem-data";

/// The file in the data folder.
const FILE: &str = "modem-data.json";

/// What went through the modem, as it stands in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Account {
    /// Version of the form.
    format: u32,
    /// The month, `YYYY-MM`, of the household's zone; empty while no clock was known.
    month: String,
    /// Bytes in it.
    bytes: u64,
    /// The kernel's counters begin anew with each boot.
    boot: String,
    /// The counter of each interface when it was last looked at.
    counters: BTreeMap<String, u64>,
}

const FORMAT: u32 = 1;

impl Account {
    /// What the file holds; one that can not be read is begun anew.
    fn read(path: &Path) -> Self {
        let read = std::fs::read(path).ok();
        let account = read.and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        let account = account.filter(|account| account.format == FORMAT);
        account.unwrap_or_else(|| Self { format: FORMAT, ..Self::default() })
    }

    fn write(&self, data: &Path) -> std::io::Result<()> {
        anju_journal::replace_file(data, FILE, None, &serde_json::to_vec(self)?)
    }

    /// Takes a look at the counters, in the month `month` if that is known.
    fn count(&mut self, month: Option<&str>, boot: &str, counters: BTreeMap<String, u64>) {
        if let Some(month) = month.filter(|month| *month != self.month) {
            // What was counted before any month was known belongs to the first.
            if !self.month.is_empty() {
                self.bytes = 0;
            }
            self.month = month.to_owned();
        }
        if self.boot != boot {
            self.boot = boot.to_owned();
            self.counters.clear();
        }
        for (name, now) in &counters {
            let before = self.counters.get(name).copied().unwrap_or(0);
            // An interface that was away begins anew.
            let new = if *now < before { *now } else { now - before };
            self.bytes = self.bytes.saturating_add(new);
        }
        self.counters = counters;
    }

    /// How much of a budget is left.
    fn level(&self, budget: Option<u64>) -> Level {
        let Some(budget) = budget.filter(|budget| *budget > 0) else { return Level::Fine };
        match self.bytes.saturating_mul(100) / budget {
            ..TOLD_FROM => Level::Fine,
            TOLD_FROM..100 => Level::NearlyUsedUp,
            100.. => Level::UsedUp,
        }
    }
}

/// How much of the budget is left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Level {
    #[default]
    Fine,
    NearlyUsedUp,
    UsedUp,
}

impl Level {
    fn in_words(self, used: u64) -> String {
        let state = match self {
            Self::Fine => return "the modem's data suffices again".to_owned(),
            Self::NearlyUsedUp => "is nearly used up",
            Self::UsedUp => "is used up",
        };
        let mib = used >> 20;
        format!(
            "the modem's data of this month {state}, {mib} MiB went through; ask for a greater \
             contract, or give the box Ethernet or Wi-Fi"
        )
    }
}

/// Bytes in and out of each interface of a 4G modem since it appeared: those that the kernel shows as
/// such, and those that NetworkManager knows to be one's, such as an adapter inside a modem.
fn counters(sys: &Path, known: &BTreeSet<String>) -> BTreeMap<String, u64> {
    let of = |path: PathBuf| {
        let name = path.file_name()?.to_str()?.to_owned();
        let kind = std::fs::read_to_string(path.join("uevent")).unwrap_or_default();
        let mobile = kind.lines().any(|line| line == "DEVTYPE=wwan")
            || name.starts_with("wwan")
            || name.starts_with("ppp")
            || known.contains(&name);
        let number = |file: &str| u64::try_from(number(&path.join("statistics").join(file))?).ok();
        mobile.then(|| Some((name, number("rx_bytes")?.saturating_add(number("tx_bytes")?))))?
    };
    folders(&sys.join("class/net")).into_iter().filter_map(of).collect()
}

/// Counts and tells.
struct Budget {
    sys: PathBuf,
    data: PathBuf,
    /// Interfaces that NetworkManager knows to be a modem's.
    known: BTreeSet<String>,
    account: Account,
    /// As it stands in the file.
    written: Account,
    looks: u32,
    told: Level,
}

impl Budget {
    fn new(sys: PathBuf, data: &Path) -> Self {
        let account = Account::read(&data.join(FILE));
        let written = account.clone();
        Self {
            sys,
            data: data.to_owned(),
            known: BTreeSet::new(),
            account,
            written,
            looks: 0,
            told: Level::Fine,
        }
    }

    /// Looks once; what changed.
    fn look(&mut self, month: Option<&str>, boot: &str, budget: Option<u64>) -> Option<BoxEvent> {
        let before = self.account.month.clone();
        self.account.count(month, boot, counters(&self.sys, &self.known));
        let due = self.looks.is_multiple_of(WRITTEN_EVERY) || before != self.account.month;
        // A disk that can not be written is told by the journal.
        if due && self.account != self.written && self.account.write(&self.data).is_ok() {
            self.written = self.account.clone();
        }
        self.looks = self.looks.wrapping_add(1);
        let level = self.account.level(budget);
        if std::mem::replace(&mut self.told, level) == level {
            return None;
        }
        let (part, active) = (PART.to_owned(), level != Level::Fine);
        Some(BoxEvent::Fault { part, active, reason: level.in_words(self.account.bytes) })
    }
}

/// Counts until stopped, and tells the core.
pub async fn run(
    sys: PathBuf,
    data: PathBuf,
    core: watch::Receiver<View>,
    uplinks: watch::Receiver<anju_uplinks::View>,
    clocks: Clocks,
    messages: mpsc::Sender<Message>,
    stop: CancellationToken,
) {
    let mut budget = Budget::new(sys, &data);
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = looks.tick() => {}
        }
        let household = core.borrow().picture.as_ref().map(|picture| picture.household.clone());
        let Some(household) = household else { continue };
        let month = clocks
            .trusted()
            .map(|now| now.to_zoned(household.timezone.clone()).strftime("%Y-%m").to_string());
        let boot = clocks.stamp().boot;
        // Once known, an interface is still the modem's while it does not stand.
        let links = uplinks.borrow().links.clone();
        let mobile = links.into_iter().filter(|link| link.kind == Kind::Mobile);
        budget.known.extend(mobile.map(|link| link.interface));
        // A driver of the kernel may block.
        let looked = tokio::task::spawn_blocking(move || {
            let told = budget.look(month.as_deref(), &boot, household.modem.data_budget);
            (budget, told)
        });
        let Ok((looked, told)) = looked.await else { return };
        budget = looked;
        if let Some(event) = told
            && messages.send(Message::Box(event)).await.is_err()
        {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
