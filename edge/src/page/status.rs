//! Puts the status together from what was last seen of each part.

use std::sync::Arc;
use std::time::Duration;

use anju_drivers::fleet::Health;
use anju_journal::{Lane, Number, Recording};
use anju_model::{Language, Moment, Stamp};
use anju_uplinks::View;
use anju_web_setup::{
    Ago, Journal, Link, Occupancy, OccupancyState, Person, Status, Uplink, Uplinks, Upstream,
};
use jiff::Timestamp;

use super::Setup;
use super::watch::{ANSWERS_WITHIN, Figures};
use crate::core::{self, Picture, When};
use crate::plan;

/// What was last seen of each part.
pub struct Look {
    /// Now.
    pub stamp: Stamp,
    /// The core.
    pub core: core::View,
    /// Whether its task lives.
    pub core_lives: bool,
    /// The way to the centre.
    pub upstream: Option<anju_upstream::session::View>,
    /// The links into the Internet.
    pub uplinks: anju_uplinks::View,
    /// The configuration.
    pub setup: Arc<Setup>,
    /// The journal's figures.
    pub figures: Option<Figures>,
    /// The journal's newest number.
    pub newest: Number,
}

impl Look {
    /// The home, unless the core has not begun.
    pub fn picture(&self) -> Option<&Picture> {
        self.core.picture.as_deref()
    }

    /// The broken parts of the box.
    pub fn faults(&self) -> Vec<(String, Arc<str>)> {
        let faults = self.picture().map(|picture| &picture.board.faults);
        faults.into_iter().flatten().map(|(part, why)| (part.clone(), why.clone())).collect()
    }

    /// Time since the picture was made, by the monotonic clock.
    fn since_shown(&self, picture: &Picture) -> Duration {
        Duration::from_millis(self.stamp.mono_ms.saturating_sub(picture.stamp.mono_ms))
    }

    /// How long ago a moment of the core's line was.
    pub fn ago(&self, picture: &Picture, when: When) -> Ago {
        plan::ago(picture, &self.stamp, when)
    }

    /// The same for a moment without a wall clock of its own.
    pub fn ago_of(&self, picture: &Picture, moment: Moment) -> Ago {
        let age = picture.now.since(moment);
        let known = picture.stamp.clock != anju_model::Clock::Unknown;
        let wall = known.then(|| picture.stamp.wall.checked_sub(age).ok()).flatten();
        self.ago(picture, When { moment, wall })
    }

    /// The same for a moment of the guard's line.
    pub fn guard_ago(&self, picture: &Picture, moment: Moment, wall: Option<Timestamp>) -> Ago {
        let age = picture.guard_now.since(moment) + self.since_shown(picture);
        Ago { seconds: age.as_secs(), at: wall }
    }

    /// Everything the page shows.
    pub fn status(&self) -> Status {
        let picture = self.picture();
        let household = picture.map(|picture| picture.household.as_ref());
        Status {
            box_id: self.setup.household.box_id.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            language: household.map_or(Language::default(), |household| household.language),
            timezone: household
                .and_then(|household| household.timezone.iana_name())
                .unwrap_or("UTC")
                .to_owned(),
            now: self.stamp.wall,
            clock: self.stamp.clock,
            guarding_since: picture
                .filter(|picture| self.core_lives && !picture.home.unguarded)
                .map(|picture| self.ago_of(picture, picture.guarding_since)),
            persons: household.map(persons).unwrap_or_default(),
            occupancy: picture.map_or(UNSURE, |picture| self.occupancy(picture)),
            last_activity: picture.and_then(|picture| self.last_activity(picture)),
            alerts: picture.map(|picture| self.alerts(picture)).unwrap_or_default(),
            devices: picture.map(|picture| self.devices(picture)).unwrap_or_default(),
            links: self.links(),
            channels: picture.map(|picture| self.channels(picture)).unwrap_or_default(),
            journal: self.journal(),
            upstream: self.upstream(),
            uplinks: self.uplinks(),
            rules: picture.map(Self::rules).unwrap_or_default(),
            kit_missing: picture
                .map(|picture| picture.household.missing_of_the_base_kit())
                .unwrap_or_default(),
            config_faults: self.setup.faults.clone(),
        }
    }

    /// The links; one is up while its driver runs and its far side answers.
    pub fn links(&self) -> Vec<Link> {
        let household = &self.setup.household;
        household.links.iter().map(|(id, link)| self.link(id, link.kind().as_str())).collect()
    }

    fn uplinks(&self) -> Uplinks {
        let link = |link: &anju_uplinks::LinkView| Uplink {
            interface: link.interface.clone(),
            kind: link.kind.as_str().to_owned(),
            reaches: link.reaches,
            reason: link.reason.clone(),
            preferred: link.preferred,
        };
        let View { unmanaged, links, .. } = &self.uplinks;
        Uplinks { unmanaged: unmanaged.clone(), links: links.iter().map(link).collect() }
    }

    fn link(&self, id: &anju_model::LinkId, kind: &str) -> Link {
        let name = format!("{kind}:{id}");
        let driver = self.setup.drivers.iter().find(|driver| driver.name == name);
        let reason = match driver.map(|driver| driver.health.borrow().clone()) {
            Some(Health::Starting | Health::Running) => {
                driver.and_then(|driver| self.silent(&driver.devices))
            }
            Some(Health::Waiting { reason, .. } | Health::Refused { reason }) => Some(reason),
            Some(Health::Blocked) => Some("its thread does not answer".to_owned()),
            None => Some(self.not_started(&name, id.as_str())),
        };
        Link { id: id.clone(), kind: kind.to_owned(), up: reason.is_none(), reason }
    }

    /// Why no device of a link can be reached, by its driver's word, if that is so.
    fn silent(&self, devices: &[anju_model::DeviceId]) -> Option<String> {
        let board = &self.picture()?.board;
        let reasons: Option<Vec<&String>> = devices
            .iter()
            .map(|id| board.devices.get(id).and_then(|device| device.lost_because.as_ref()))
            .collect();
        reasons?.first().map(|reason| (*reason).clone())
    }

    fn not_started(&self, name: &str, id: &str) -> String {
        let fault = |part: String| {
            self.picture()
                .and_then(|picture| picture.board.faults.get(&part))
                .map(|why| why.to_string())
        };
        fault(format!("driver:{name}"))
            .or_else(|| fault(format!("driver:{id}")))
            .unwrap_or_else(|| "no device is set up on it".to_owned())
    }

    fn journal(&self) -> Journal {
        let (recording, reason) = match &self.figures {
            None => (true, None),
            Some((at, _)) if at.elapsed() > ANSWERS_WITHIN => {
                (false, Some("the disk does not answer: check the card".to_owned()))
            }
            Some((_, stats)) => match &stats.recording {
                Recording::Active => (true, None),
                Recording::Suspended(trouble) => (false, Some(trouble.to_string())),
            },
        };
        let stats = self.figures.as_ref().map(|(_, stats)| stats);
        Journal {
            recording,
            reason,
            epoch: self.newest.epoch,
            newest_seq: self.newest.seq,
            durable_seq: stats.map_or(0, |stats| stats.durable),
            bytes: stats.map_or(0, |stats| stats.disk_bytes),
        }
    }

    fn upstream(&self) -> Option<Upstream> {
        let view = self.upstream.as_ref()?;
        let board = self.picture().map(|picture| &picture.board);
        // All of it from one look at the journal, or entries on their way would count as waiting.
        let (alerts, events) = self.figures.as_ref().map_or((0, 0), |(_, stats)| {
            let waiting = |lane: Lane, among: &dyn Fn(u64) -> u64| {
                let mut places = stats.followers.iter();
                let place = places.find(|(name, own, _)| name == "upstream" && *own == lane);
                place.map_or(0, |(_, _, seq)| among(*seq))
            };
            let alerts_after = |seq| board.map_or(0, |b| b.alerts_between(seq, stats.last));
            // Numbers are shared by both lanes.
            let events_after =
                |seq: u64| stats.last.saturating_sub(seq).saturating_sub(alerts_after(seq));
            (waiting(Lane::Alerts, &alerts_after), waiting(Lane::Events, &events_after))
        });
        let since = self.picture().zip(board.and_then(|board| board.upstream_since));
        Some(Upstream {
            connected: view.connected,
            since: since.map(|(picture, when)| self.ago(picture, when)),
            reason: view.reason.clone(),
            backlog: events + alerts,
            alert_backlog: alerts,
        })
    }
}

const UNSURE: Occupancy = Occupancy { state: OccupancyState::Unsure, since: None, until: None };

fn persons(household: &anju_model::config::Household) -> Vec<Person> {
    let person = |person: &anju_model::config::Person| Person {
        id: person.id.clone(),
        name: person.name.clone(),
    };
    household.persons.iter().map(person).collect()
}
