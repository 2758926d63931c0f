//! The part of the status that is about the home: alerts, devices, who is at home, the ways to
//! people.

use anju_guard::{self as guard, DeviceView};
use anju_model::config::{self, Binding, Household};
use anju_model::{ContactId, Language, LinkId};
use anju_respond::life::{AlertView, HelperView, Stage};
use anju_web_setup::{
    Activity, Alert, AlertStage, Channel, Device, Helper, Occupancy, OccupancyState, Presence,
    Reading, Standing, Watch, Words,
};

use super::status::Look;
use crate::core::{Picture, Said};
use crate::plan::{self, contact_name};

/// Full scale of a Zigbee link's quality.
const BEST_LINK: f64 = 255.0;

impl Look {
    /// The open alerts.
    pub fn alerts(&self, picture: &Picture) -> Vec<Alert> {
        self.core.open.iter().map(|alert| self.alert(picture, alert)).collect()
    }

    fn alert(&self, picture: &Picture, alert: &AlertView) -> Alert {
        let (subject, household) = (&alert.subject, &picture.household);
        Alert {
            id: subject.alert.clone(),
            class: subject.class,
            rule: subject.rule.to_string(),
            text: subject.text.clone(),
            stage: match alert.stage {
                Stage::Searching => AlertStage::Searching,
                Stage::Cancelled => AlertStage::Cancelled,
                Stage::Accepted => AlertStage::Accepted,
                Stage::Arrived => AlertStage::Arrived,
            },
            raised: self.ago_of(picture, alert.raised),
            count: u32::try_from(alert.count).unwrap_or(u32::MAX).max(1),
            test: subject.test,
            device: subject.device.as_ref().map(|id| {
                let device = household.devices.iter().find(|device| device.id == *id);
                device.map_or_else(|| id.to_string(), |device| device.name.clone())
            }),
            room: subject.room.clone(),
            helpers: alert.helpers.iter().map(|helper| self::helper(household, helper)).collect(),
        }
    }

    /// The devices in the order of the configuration.
    pub fn devices(&self, picture: &Picture) -> Vec<Device> {
        let broken: Vec<LinkId> =
            self.links().into_iter().filter(|link| !link.up).map(|link| link.id).collect();
        let served = |device: &config::Device| {
            self.setup.drivers.iter().any(|driver| driver.devices.contains(&device.id))
        };
        let device = |device: &config::Device| {
            let view = picture.home.devices.iter().find(|view| view.id == device.id);
            let presence = if served(device) {
                presence(device, view, broken.contains(&device.link))
            } else {
                Presence::NotServed
            };
            self.device(picture, device, view, presence)
        };
        picture.household.devices.iter().map(device).collect()
    }

    fn device(
        &self,
        picture: &Picture,
        device: &config::Device,
        view: Option<&DeviceView>,
        presence: Presence,
    ) -> Device {
        let known = picture.board.devices.get(&device.id);
        let heard = view.and_then(|view| view.heard.map(|at| (at, view.heard_wall)));
        let reading = |said: &Said| Reading {
            fact: said.fact.clone(),
            ago: self.ago(picture, said.when),
            baseline: said.baseline,
        };
        Device {
            id: device.id.clone(),
            name: device.name.clone(),
            kind: device.kind,
            unsupervised: device.unsupervised(),
            room: device.room.clone(),
            link: device.link.clone(),
            presence,
            last_heard: heard.map(|(at, wall)| self.guard_ago(picture, at, wall)),
            battery_percent: known.and_then(|known| percent(known.battery_percent?)),
            battery_low: view.is_some_and(|view| view.battery_low),
            link_quality_percent: known
                .and_then(|known| percent(known.link_quality? * 100.0 / BEST_LINK)),
            readings: known
                .map(|known| known.said.iter().map(reading).collect())
                .unwrap_or_default(),
        }
    }

    /// Who is at home.
    pub fn occupancy(&self, picture: &Picture) -> Occupancy {
        use guard::Occupancy as Is;
        let (state, since, until) = match &picture.home.occupancy {
            Is::Unsure => (OccupancyState::Unsure, None, None),
            Is::AtHome => (OccupancyState::AtHome, None, None),
            Is::Visitor => (OccupancyState::Visitor, None, None),
            Is::Out { since, .. } => (OccupancyState::Out, Some(*since), None),
            Is::Away { until, .. } => (OccupancyState::Away, None, Some(*until)),
        };
        let since = since.map(|at| self.guard_ago(picture, at, None));
        Occupancy { state, since, until }
    }

    /// The last sign of a person.
    pub fn last_activity(&self, picture: &Picture) -> Option<Activity> {
        let last = picture.home.last_activity.as_ref()?;
        let origin = &last.observation.origin;
        let device = picture.household.devices.iter().find(|device| device.id == origin.device);
        Some(Activity {
            ago: self.guard_ago(picture, last.at, last.wall),
            device: device.map_or_else(|| origin.device.to_string(), |device| device.name.clone()),
            room: origin.room.clone(),
        })
    }

    /// The ways to people: what the configuration has, with what is known of each.
    pub fn channels(&self, picture: &Picture) -> Vec<Channel> {
        let household = &picture.household;
        let mut ways: Vec<(String, Option<ContactId>)> = vec![("speaker".to_owned(), None)];
        let satellites = household.speaker.satellites.iter();
        ways.extend(satellites.map(|satellite| (format!("satellite-{}", satellite.id), None)));
        for contact in &household.contacts {
            ways.extend(
                contact
                    .channels
                    .iter()
                    .map(|kind| (kind.as_str().to_owned(), Some(contact.id.clone()))),
            );
        }
        let used = picture.board.channels.keys().filter(|way| !ways.contains(way));
        let used: Vec<_> = used.cloned().collect();
        ways.extend(used);
        let known = |(name, contact): (String, Option<ContactId>)| {
            plan::way(picture, &self.stamp, &name, contact.as_ref())
        };
        ways.into_iter().map(known).collect()
    }

    /// What is watched for.
    pub fn rules(picture: &Picture) -> Vec<Watch> {
        let words =
            |why: guard::Why| Words { zh_cn: why.text(Language::ZhCn), en: why.text(Language::En) };
        let watch = |view: &guard::RuleView| {
            let (standing, why) = match view.standing {
                guard::Standing::Active => (Standing::Active, None),
                guard::Standing::Limited(why) => (Standing::Limited, Some(why)),
                guard::Standing::Off(why) => (Standing::Off, Some(why)),
            };
            Watch { rule: view.rule.to_string(), standing, why: why.map(words) }
        };
        picture.home.rules.iter().map(watch).collect()
    }
}

fn presence(device: &config::Device, view: Option<&DeviceView>, link_down: bool) -> Presence {
    let wired = matches!(device.binding, Binding::Gpio(_));
    match view {
        _ if link_down => Presence::Offline,
        Some(view) if view.lost => Presence::Offline,
        // A wire says nothing by itself while it is in order.
        Some(view) if view.heard.is_some() || wired => Presence::Online,
        _ => Presence::NeverHeard,
    }
}

fn helper(household: &Household, helper: &HelperView) -> Helper {
    Helper {
        name: contact_name(household, &helper.by),
        minutes: helper.minutes,
        arrived: helper.there,
    }
}

fn percent(value: f64) -> Option<u8> {
    // Within 0 to 100 nothing is cut off.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    value.is_finite().then(|| value.clamp(0.0, 100.0).round() as u8)
}
