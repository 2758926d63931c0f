//! Which link what leaves shall go by. Pure: it is told which links stand and what came of trying
//! them, and says which is preferred, when to try which, and what is news. Ethernet goes before
//! Wi-Fi, Wi-Fi before 4G. A link that stands and reaches nothing is left for the next; a better one is
//! gone back to only after it has proved stable, longer each time it failed soon after. It must never
//! call the box offline while a link has not been tried, nor leave a link that reaches something
//! because another does not.

use std::collections::BTreeMap;
use std::time::Duration;

/// What kind of link; the better first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A cable.
    Ethernet,
    /// Radio at home.
    Wifi,
    /// The modem.
    Mobile,
}

impl Kind {
    /// The name in entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ethernet => "ethernet",
            Self::Wifi => "wifi",
            Self::Mobile => "mobile",
        }
    }
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// A link that failed this often in a row reaches nothing: one lost packet is no loss of a link.
const BELIEVED_AFTER: u32 = 3;

/// Pause between tries while it is in doubt.
const IN_DOUBT: Duration = Duration::from_secs(5);

/// The link that is used is tried this often.
const USED_EVERY: Duration = Duration::from_secs(30);

/// One that stands by at home is tried this often; telecare hubs check each path every 10 minutes,
/// and here it costs nothing.
const STANDS_BY_EVERY: Duration = MINUTE;

/// Mobile data that stands by is tried this often: at some 6 KiB a try (TCP and TLS) 9 MiB a month.
const MOBILE_STANDS_BY_EVERY: Duration = Duration::from_secs(30 * 60);

/// Mobile data that is used is tried this often: 26 MiB a month.
const MOBILE_USED_EVERY: Duration = Duration::from_secs(10 * 60);

/// One that reaches nothing is tried again this often.
const FAILED_EVERY: Duration = Duration::from_secs(15);

/// Mobile data that reaches nothing.
const MOBILE_FAILED_EVERY: Duration = MINUTE;

/// A better link must have been good for this long before it is gone back to.
const STABLE: Duration = Duration::from_secs(2 * 60);

/// The longest that such a wait grows, doubling with each fall.
const STABLE_AT_MOST: Duration = Duration::from_secs(32 * 60);

/// One that was good for this long has no fall behind it.
const FORGIVEN_AFTER: Duration = Duration::from_secs(2 * 3600);

/// After the start, links may take this long to come up at all.
const COME_UP_WITHIN: Duration = MINUTE;

/// Links whose falls are remembered.
const MOST_REMEMBERED: usize = 16;

/// What became of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A link began or ceased to reach anything.
    Link {
        /// Its network interface.
        name: String,
        /// What it is.
        kind: Kind,
        /// Whether it reaches anything.
        up: bool,
        /// Why not.
        reason: Option<String>,
    },
    /// What leaves shall go by this link from now on.
    Preferred {
        /// Its network interface.
        name: String,
        /// What it is.
        kind: Kind,
        /// Why the one before is left, where it is because it fails.
        reason: Option<String>,
    },
    /// Some link reaches anything again, or none does.
    Uplinks {
        /// Whether any does.
        up: bool,
        /// Why not.
        reason: Option<String>,
    },
}

/// What is known of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// It was not tried yet, or not often enough.
    Unknown,
    /// Something answers over it.
    Reaches,
    /// Nothing does, and why.
    Fails(String),
}

#[derive(Debug, Clone)]
struct Link {
    kind: Kind,
    reach: Reach,
    /// Failed tries in a row.
    misses: u32,
    /// Since when each try was good.
    good_since: Option<Duration>,
    /// When it is tried next; `None` while it is being tried.
    next: Option<Duration>,
}

/// The falls of a link, which outlive its being unplugged.
#[derive(Debug, Clone, Copy)]
struct Falls {
    /// How long it must be good before it is gone back to.
    wait: Duration,
    /// The last of them.
    last: Duration,
}

/// The choice. Times are of one monotonic clock that began when it did.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    links: BTreeMap<String, Link>,
    falls: BTreeMap<String, Falls>,
    preferred: Option<String>,
    /// Some link was preferred once.
    begun: bool,
    up: Option<bool>,
}

impl Choice {
    /// The links that stand now: an address and a way to a gateway, by their interface.
    pub fn stand(&mut self, now: Duration, present: &BTreeMap<String, Kind>) -> Vec<News> {
        let mut news = Vec::new();
        let gone = |name: &String, link: &Link| present.get(name) != Some(&link.kind);
        for (name, link) in self.links.extract_if(.., |name, link| gone(name, link)) {
            if link.reach == Reach::Reaches {
                let reason = Some("it is not connected any more".to_owned());
                news.push(News::Link { name, kind: link.kind, up: false, reason });
            }
        }
        let lost = self.preferred.take_if(|name| !self.links.contains_key(name));
        if let Some(name) = lost {
            self.fell(&name, now);
        }
        for (name, kind) in present {
            self.links.entry(name.clone()).or_insert_with(|| Link {
                kind: *kind,
                reach: Reach::Unknown,
                misses: 0,
                good_since: None,
                next: Some(now),
            });
        }
        self.settle(now, &mut news);
        news
    }

    /// The links that are to be tried now. Each is given once, until [`Choice::tried`] tells of it.
    pub fn due(&mut self, now: Duration) -> Vec<String> {
        let mut due = Vec::new();
        for (name, link) in &mut self.links {
            if link.next.is_some_and(|next| next <= now) {
                link.next = None;
                due.push(name.clone());
            }
        }
        due
    }

    /// What came of trying a link.
    pub fn tried(&mut self, now: Duration, name: &str, came: Result<(), String>) -> Vec<News> {
        let mut news = Vec::new();
        let preferred = self.preferred.as_deref() == Some(name);
        let Some(link) = self.links.get_mut(name) else { return news };
        let mut doubt = false;
        match came {
            Ok(()) => {
                link.misses = 0;
                link.good_since.get_or_insert(now);
                if link.reach != Reach::Reaches {
                    link.reach = Reach::Reaches;
                    let (name, kind) = (name.to_owned(), link.kind);
                    news.push(News::Link { name, kind, up: true, reason: None });
                }
            }
            Err(reason) => {
                link.misses = link.misses.saturating_add(1);
                link.good_since = None;
                doubt = preferred && link.misses == 1;
                if link.misses >= BELIEVED_AFTER {
                    let before = std::mem::replace(&mut link.reach, Reach::Fails(reason.clone()));
                    if !matches!(before, Reach::Fails(_)) {
                        let (name, kind) = (name.to_owned(), link.kind);
                        news.push(News::Link { name, kind, up: false, reason: Some(reason) });
                    }
                }
            }
        }
        link.next = Some(now + link.pause(preferred));
        if doubt {
            // Whether the others are still there is about to matter.
            self.hurry(now);
        }
        self.settle(now, &mut news);
        news
    }

    /// Time went by.
    pub fn pass(&mut self, now: Duration) -> Vec<News> {
        let mut news = Vec::new();
        self.settle(now, &mut news);
        news
    }

    /// When there is something to do next.
    pub fn next(&self, now: Duration) -> Option<Duration> {
        let tries = self.links.values().filter_map(|link| link.next);
        let back = self.waiting(now).map(|(_, at)| at);
        // While nothing is known, only time tells that nothing comes up.
        let start = self.up.is_none().then_some(COME_UP_WITHIN).filter(|at| *at > now);
        tries.chain(back).chain(start).min()
    }

    /// The link that what leaves shall go by; `None` until one has proved itself.
    pub fn preferred(&self) -> Option<&str> {
        self.preferred.as_deref()
    }

    /// What is known of each link, with its kind.
    pub fn known(&self) -> impl Iterator<Item = (&str, Kind, &Reach)> {
        self.links.iter().map(|(name, link)| (name.as_str(), link.kind, &link.reach))
    }

    /// Whether any link reaches anything, where that is known.
    pub const fn is_up(&self) -> Option<bool> {
        self.up
    }

    fn hurry(&mut self, now: Duration) {
        for link in self.links.values_mut() {
            link.next = link.next.map(|next| next.min(now));
        }
    }

    fn fell(&mut self, name: &str, now: Duration) {
        let wait = self
            .recent_falls(name, now)
            .map_or(STABLE, |falls| falls.wait.saturating_mul(2).min(STABLE_AT_MOST));
        if self.falls.len() >= MOST_REMEMBERED && !self.falls.contains_key(name) {
            let oldest = self.falls.iter().min_by_key(|(_, falls)| falls.last);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                self.falls.remove(&oldest);
            }
        }
        self.falls.insert(name.to_owned(), Falls { wait, last: now });
    }

    /// How long a link must be good before it is gone back to.
    fn wait(&self, name: &str, now: Duration) -> Duration {
        self.recent_falls(name, now).map_or(STABLE, |falls| falls.wait)
    }

    fn recent_falls(&self, name: &str, now: Duration) -> Option<&Falls> {
        let falls = self.falls.get(name)?;
        (now.saturating_sub(falls.last) < FORGIVEN_AFTER).then_some(falls)
    }

    fn rank<'l>(name: &'l str, link: &Link) -> (Kind, &'l str) {
        (link.kind, name)
    }

    fn best(&self, fits: impl Fn(&Link) -> bool) -> Option<(&str, &Link)> {
        let fitting = self.links.iter().map(|(name, link)| (name.as_str(), link));
        fitting.filter(|(_, link)| fits(link)).min_by_key(|(name, link)| Self::rank(name, link))
    }

    /// The better link than the one in use that can be gone back to first, and when.
    fn waiting(&self, now: Duration) -> Option<(&str, Duration)> {
        let used = self.preferred.as_deref()?;
        let rank = Self::rank(used, self.links.get(used)?);
        let better = self
            .links
            .iter()
            .filter(|(name, link)| link.reach == Reach::Reaches && Self::rank(name, link) < rank);
        let better = better.filter_map(|(name, link)| {
            Some((name.as_str(), link.good_since? + self.wait(name, now)))
        });
        better.min_by_key(|(_, at)| *at)
    }

    /// Draws the consequences of what is known.
    fn settle(&mut self, now: Duration, news: &mut Vec<News>) {
        self.choose(now, news);
        let reaches = |link: &Link| link.reach == Reach::Reaches;
        let in_doubt = self.links.values().any(|link| link.reach == Reach::Unknown);
        let coming_up = self.links.is_empty() && self.up.is_none() && now < COME_UP_WITHIN;
        let up = match self.best(reaches) {
            Some(_) => true,
            None if in_doubt || coming_up => return,
            None => false,
        };
        if self.up != Some(up) {
            self.up = Some(up);
            news.push(News::Uplinks { up, reason: (!up).then(|| self.why()) });
        }
    }

    fn choose(&mut self, now: Duration, news: &mut Vec<News>) {
        let used = self.preferred.as_deref().and_then(|name| Some((name, self.links.get(name)?)));
        let (chosen, reason) = match used {
            Some((used, link)) => match &link.reach {
                Reach::Reaches | Reach::Unknown => {
                    let stable = self
                        .waiting(now)
                        .filter(|(_, at)| *at <= now)
                        .map(|(name, _)| name.to_owned());
                    let Some(better) = stable else { return };
                    (better, None)
                }
                Reach::Fails(why) => {
                    let Some((other, _)) = self.best(|link| link.reach == Reach::Reaches) else {
                        return;
                    };
                    let (other, why) = (other.to_owned(), format!("{used}: {why}"));
                    let used = used.to_owned();
                    self.fell(&used, now);
                    (other, Some(why))
                }
            },
            None => {
                let Some((best, link)) = self.best(|link| link.reach == Reach::Reaches) else {
                    return;
                };
                let rank = Self::rank(best, link);
                // At the start a better one may be about to prove itself.
                let untried = self.links.iter().any(|(name, link)| {
                    link.reach == Reach::Unknown && Self::rank(name, link) < rank
                });
                if untried && !self.begun {
                    return;
                }
                (best.to_owned(), None)
            }
        };
        let Some(link) = self.links.get_mut(&chosen) else { return };
        // What is relied on from now on was perhaps tried long ago.
        link.next = link.next.map(|next| next.min(now + SECOND));
        let kind = link.kind;
        self.preferred = Some(chosen.clone());
        self.begun = true;
        news.push(News::Preferred { name: chosen, kind, reason });
    }

    /// Why nothing is reached.
    fn why(&self) -> String {
        let each: Vec<String> = self
            .links
            .iter()
            .filter_map(|(name, link)| match &link.reach {
                Reach::Fails(why) => Some(format!("{name}: {why}")),
                Reach::Unknown | Reach::Reaches => None,
            })
            .collect();
        if each.is_empty() { "no link is connected".to_owned() } else { each.join("; ") }
    }
}

impl Link {
    fn pause(&self, preferred: bool) -> Duration {
        let mobile = self.kind == Kind::Mobile;
        match &self.reach {
            Reach::Fails(_) if mobile => MOBILE_FAILED_EVERY,
            Reach::Fails(_) => FAILED_EVERY,
            Reach::Unknown | Reach::Reaches if self.misses > 0 => IN_DOUBT,
            Reach::Unknown | Reach::Reaches if preferred && mobile => MOBILE_USED_EVERY,
            Reach::Unknown | Reach::Reaches if preferred => USED_EVERY,
            Reach::Unknown | Reach::Reaches if mobile => MOBILE_STANDS_BY_EVERY,
            Reach::Unknown | Reach::Reaches => STANDS_BY_EVERY,
        }
    }
}

#[cfg(test)]
mod tests;
