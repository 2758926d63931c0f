//! Names that the family can record: of who lives in the home, of who comes, of the rooms. A slot's
//! name is also the name of its recording's file.

use std::fmt;
use std::str::FromStr;

use anju_model::config::Household;
use anju_model::{ContactId, PersonId, RoomId};
use thiserror::Error;

/// A name that can be recorded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// `person-<id>`: who lives in the home; said with an alarm that is theirs.
    Person(PersonId),
    /// `contact-<id>`: said when they come.
    Contact(ContactId),
    /// `room-<id>`: said with a danger.
    Room(RoomId),
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => write!(f, "person-{id}"),
            Self::Contact(id) => write!(f, "contact-{id}"),
            Self::Room(id) => write!(f, "room-{id}"),
        }
    }
}

/// Not the name of a slot.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` names nothing that can be recorded; write person-ID, contact-ID or room-ID")]
pub struct NoSlot(pub String);

impl FromStr for Slot {
    type Err = NoSlot;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let id = |prefix: &str| name.strip_prefix(prefix);
        let person = || PersonId::new(id("person-")?).ok().map(Self::Person);
        let contact = || ContactId::new(id("contact-")?).ok().map(Self::Contact);
        let room = || RoomId::new(id("room-")?).ok().map(Self::Room);
        person().or_else(contact).or_else(room).ok_or_else(|| NoSlot(name.to_owned()))
    }
}

/// All that can be recorded in a home, with the words for it; a room's are its id.
pub fn slots(home: &Household) -> Vec<(Slot, String)> {
    let persons = home.persons.iter().map(|p| (Slot::Person(p.id.clone()), p.name.clone()));
    let contacts = home.contacts.iter().map(|c| (Slot::Contact(c.id.clone()), c.name.clone()));
    let of_devices = home.devices.iter().filter_map(|device| device.room.clone());
    let of_satellites = home.speaker.satellites.iter().filter_map(|s| s.room.clone());
    let mut rooms: Vec<RoomId> = of_devices.chain(of_satellites).collect();
    rooms.sort();
    rooms.dedup();
    let rooms = rooms.into_iter().map(|room| {
        let words = room.as_str().replace('-', " ");
        (Slot::Room(room), words)
    });
    persons.chain(contacts).chain(rooms).collect()
}
