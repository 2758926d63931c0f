//! The whole configuration and the people who live in the home.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::{
    CaseSwitch, Channels, Contact, Device, Guard, JournalLimits, Link, Modem, OwnRange, Speaker,
    Upstream, Web, Zone,
};
use crate::{BoxId, DeviceKind, Language, LinkId, PersonId};

/// One home, as configured.
#[derive(Debug, Clone)]
pub struct Household {
    /// The box's name.
    pub box_id: BoxId,
    /// Language of what people hear and read.
    pub language: Language,
    /// Zone of the household's civil time.
    pub timezone: TimeZone,
    /// The service contract, for the ledger upstream.
    pub service: Option<Service>,
    /// Who lives here.
    pub persons: Vec<Person>,
    /// Circles on the map that locators tell of.
    pub zones: Vec<Zone>,
    /// Who is told, in the order of the file.
    pub contacts: Vec<Contact>,
    /// Settings of the ways to contacts.
    pub channels: Channels,
    /// The links by id.
    pub links: BTreeMap<LinkId, Link>,
    /// The devices, in the order of the file.
    pub devices: Vec<Device>,
    /// The rules' figures.
    pub guard: Guard,
    /// The way to the centre.
    pub upstream: Option<Upstream>,
    /// The local page.
    pub web: Web,
    /// The speaker.
    pub speaker: Speaker,
    /// The switch at the box's own case.
    pub case: Option<CaseSwitch>,
    /// Limits of the journal.
    pub journal: JournalLimits,
    /// The 4G modem.
    pub modem: Modem,
}

impl Household {
    /// The kinds of the base kit, the three of "3+X", of which the home has no device that counts. An
    /// unsupervised trigger does not.
    pub fn missing_of_the_base_kit(&self) -> Vec<DeviceKind> {
        let has = |kind| self.devices.iter().any(|d| d.kind == kind && !d.unsupervised());
        DeviceKind::ALL.into_iter().filter(|kind| kind.core() && !has(*kind)).collect()
    }

    /// The contact of that id.
    pub fn contact(&self, id: &str) -> Option<&Contact> {
        self.contacts.iter().find(|contact| contact.id.as_str() == id)
    }

    /// Every file that the configuration names and that holds a secret.
    pub fn secret_files(&self) -> Vec<PathBuf> {
        let mut files = self.channels.secret_files();
        for link in self.links.values() {
            if let Link::Mqtt(broker) = link {
                files.extend(broker.password_file.clone());
                let key = broker.tls.as_ref().and_then(|tls| tls.client.clone());
                files.extend(key.map(|(_, key)| key));
            }
        }
        if let Some(upstream) = &self.upstream {
            files.extend(upstream.client_key.clone());
            files.extend(upstream.password_file.clone());
        }
        files.sort();
        files.dedup();
        files
    }
}

/// Somebody who lives here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Identifier.
    pub id: PersonId,
    /// The name people use.
    pub name: String,
    /// Risks that the household wants watched, such as `falls` or `wandering`.
    pub risks: Vec<String>,
    /// Where this person's vital signs differ from `[guard.vital]`.
    pub vital: OwnRange,
}

/// The service contract.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Service {
    /// Administrative division code (GB/T 2260), six or more digits.
    pub division: Option<String>,
    /// Street office.
    pub street: Option<String>,
    /// Who runs the service.
    pub operator: Option<String>,
    /// Number of the contract.
    pub contract: Option<String>,
    /// Who pays.
    pub funding: Option<Funding>,
}

/// Who pays for the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Funding {
    /// `public`
    Public,
    /// `private`
    Private,
}
