//! Watches the modem: tells when it is away for long, when it hears its network badly and when it
//! has another SIM card, and says what may bring it back. It must not tell of what mends itself
//! within a minute, and must not reset a modem whose trouble is for a human to mend.

use std::time::Duration;

use anju_modem::{Ladder, Modem, Rung, View};
use tokio::time::Instant;

use crate::out::channel::{Health, ModemNews, Report, Reports};

/// A modem that is away for less is not told of.
const AWAY_TOLD_AFTER: Duration = Duration::from_secs(60);

/// Below this the signal is weak; ModemManager's per cent are of -113 to -51 dBm
/// (3GPP TS 27.007 clause 8.5).
const WEAK_PERCENT: u32 = 15;
/// From this on it is not any more.
const STRONG_PERCENT: u32 = 25;
/// A weak signal is told of after this.
const WEAK_TOLD_AFTER: Duration = Duration::from_secs(600);

/// How often the modem's state is told even if it stays the same: well within what is read back after
/// a start.
const TOLD_EVERY: Duration = Duration::from_secs(6 * 3600);

/// How often an absent modem is thought about.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// What is to be done after a look.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Do {
    Tell(Health),
    News(ModemNews),
}

/// What was seen and told.
#[derive(Debug, Default)]
struct Watch {
    ladder: Ladder,
    away_since: Option<Duration>,
    weak_since: Option<Duration>,
    told_away: Option<String>,
    told_weak: bool,
    sim: Option<String>,
    told: Duration,
}

impl Watch {
    /// Looks at `now`, on one clock.
    fn look(&mut self, now: Duration, view: &View) -> Vec<Do> {
        let mut todo = Vec::new();
        self.away(now, view, &mut todo);
        self.weak(now, view, &mut todo);
        let other = view.sim.is_some() && view.sim != self.sim;
        if other || now >= self.told + TOLD_EVERY {
            self.sim = view.sim.clone().or(self.sim.take());
            self.told = now;
            todo.push(Do::News(ModemNews { view: view.clone(), rung: None }));
        }
        todo
    }

    fn away(&mut self, now: Duration, view: &View, todo: &mut Vec<Do>) {
        match &view.trouble {
            None => self.away_since = None,
            Some(_) => drop(self.away_since.get_or_insert(now)),
        }
        let long = self.away_since.is_some_and(|since| now - since >= AWAY_TOLD_AFTER);
        let broken = view.trouble.as_ref().filter(|_| long).map(ToString::to_string);
        if broken != self.told_away && (long || broken.is_none() && view.trouble.is_none()) {
            self.told_away.clone_from(&broken);
            todo.push(Do::Tell(Health { part: "modem".into(), broken }));
            todo.push(Do::News(ModemNews { view: view.clone(), rung: None }));
        }
        match &view.trouble {
            Some(trouble) if trouble.may_recover() => {
                if let Some(rung) = self.ladder.away(now) {
                    todo.push(Do::News(ModemNews { view: view.clone(), rung: Some(rung) }));
                }
            }
            _ => self.ladder.back(),
        }
    }

    fn weak(&mut self, now: Duration, view: &View, todo: &mut Vec<Do>) {
        // Of a modem that is away, and of one that does not say, nothing is known.
        let Some(percent) = view.signal_percent.filter(|p| *p > 0 && view.trouble.is_none()) else {
            self.weak_since = None;
            return;
        };
        let limit = if self.told_weak { STRONG_PERCENT } else { WEAK_PERCENT };
        if percent >= limit {
            self.weak_since = None;
            if std::mem::take(&mut self.told_weak) {
                todo.push(Do::Tell(Health { part: "modem-signal".into(), broken: None }));
            }
            return;
        }
        let since = *self.weak_since.get_or_insert(now);
        if !self.told_weak && now - since >= WEAK_TOLD_AFTER {
            self.told_weak = true;
            let broken = format!(
                "the modem hears its network at {percent} %; move the box or its antenna, or use \
                 another operator's SIM card"
            );
            todo.push(Do::Tell(Health { part: "modem-signal".into(), broken: Some(broken) }));
        }
    }
}

/// Until the modem's task or the core ends.
pub(super) async fn run(modem: Modem, reports: Reports) {
    let began = Instant::now();
    let mut watch = Watch::default();
    let mut view = modem.view();
    loop {
        let seen = view.borrow_and_update().clone();
        for step in watch.look(began.elapsed(), &seen) {
            let report = match step {
                Do::Tell(health) => Report::Health(health),
                Do::News(news) => {
                    if let Some(rung) = news.rung {
                        climb(&modem, rung);
                    }
                    Report::Modem(news)
                }
            };
            if reports.send(report).is_err() {
                return;
            }
        }
        tokio::select! {
            changed = view.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Does what the modem itself can do; the rest is for who reads the reports.
fn climb(modem: &Modem, rung: Rung) {
    tracing::warn!(rung = rung.as_str(), "the modem is away");
    let modem = modem.clone();
    tokio::spawn(async move {
        let done = match rung {
            Rung::Redial => modem.redial().await,
            Rung::Reset => modem.reset().await,
            Rung::PowerCycle | Rung::Reboot => return,
        };
        if !done {
            tracing::warn!(rung = rung.as_str(), "the modem or its driver can not do that");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use anju_modem::{Registration, Sim, Trouble};

    fn view(trouble: Option<Trouble>) -> View {
        let registration = Registration::Home;
        View { trouble, registration, sim: Some("8986".into()), ..View::default() }
    }

    fn at(watch: &mut Watch, second: u64, view: &View) -> Vec<String> {
        let todo = watch.look(Duration::from_secs(second), view);
        todo.into_iter()
            .map(|step| match step {
                Do::Tell(Health { part, broken: None }) => format!("{part} works"),
                Do::Tell(Health { part, broken: Some(why) }) => format!("{part}: {why}"),
                Do::News(ModemNews { rung: Some(rung), .. }) => rung.as_str().to_owned(),
                Do::News(ModemNews { view, .. }) => {
                    format!("news {}", view.sim.unwrap_or_default())
                }
            })
            .collect()
    }

    #[test]
    fn what_mends_itself_is_not_told_and_what_stays_is_told_once() {
        let mut watch = Watch::default();
        assert_eq!(at(&mut watch, 0, &view(None)), ["news 8986"]);
        let gone = view(Some(Trouble::NoModem));
        assert_eq!(at(&mut watch, 10, &gone), [""; 0]);
        assert_eq!(at(&mut watch, 60, &view(None)), [""; 0]);
        assert_eq!(at(&mut watch, 100, &gone), [""; 0]);
        let told = at(&mut watch, 160, &gone);
        assert!(told[0].starts_with("modem: no modem is found"), "{told:?}");
        assert_eq!(at(&mut watch, 175, &gone), [""; 0]);
        assert_eq!(at(&mut watch, 280, &gone), ["redial"]);
        assert_eq!(at(&mut watch, 300, &view(None)), ["modem works", "news 8986"]);
    }

    #[test]
    fn a_missing_card_is_told_and_nothing_is_reset() {
        let mut watch = Watch::default();
        let missing = View { sim: None, ..view(Some(Trouble::Sim(Sim::Missing))) };
        let told: Vec<String> =
            (0..20_000).step_by(15).flat_map(|second| at(&mut watch, second, &missing)).collect();
        assert_eq!(told, ["modem: no SIM card; put one in", "news "]);
    }

    #[test]
    fn a_weak_signal_is_told_after_a_while_and_another_card_at_once() {
        let mut watch = Watch::default();
        let weak = |signal| View { signal_percent: Some(signal), ..view(None) };
        assert_eq!(at(&mut watch, 0, &weak(10)), ["news 8986"]);
        assert_eq!(at(&mut watch, 599, &weak(14)), [""; 0]);
        assert_eq!(at(&mut watch, 600, &weak(14)).len(), 1);
        assert_eq!(at(&mut watch, 700, &weak(20)), [""; 0]);
        assert_eq!(at(&mut watch, 800, &weak(25)), ["modem-signal works"]);
        let other = View { sim: Some("8985".into()), ..weak(50) };
        assert_eq!(at(&mut watch, 900, &other), ["news 8985"]);
        assert_eq!(at(&mut watch, 900 + TOLD_EVERY.as_secs() - 1, &other), [""; 0]);
        assert_eq!(at(&mut watch, 900 + TOLD_EVERY.as_secs(), &other), ["news 8985"]);
    }
}
