//! Persons and contacts.

use super::super::schema::{self, CHANNELS_NOW};
use super::super::{ChannelKind, Channels, Contact, ContactRole, Hours, Person, VitalRange};
use super::Names;
use super::channels::address;
use super::hours::uncovered;
use crate::config::fault::Faults;
use crate::config::reader::{self, Expected, Fields, Row};
use crate::{ContactId, PersonId};

use std::time::Duration;

pub(super) fn persons(root: &Row<'_>, usual: VitalRange, faults: &mut Faults<'_>) -> Vec<Person> {
    let mut names = Names::new("person");
    let mut persons = Vec::new();
    for (index, row) in reader::rows(root, "person", faults).into_iter().enumerate() {
        let fields =
            reader::read(row, &Expected::only(&[&schema::PERSON, &schema::OWN_RANGE]), faults);
        let id = names.of(&fields, index + 1, faults);
        let name = fields.text("name").unwrap_or_else(|| id.clone());
        let Ok(id) = PersonId::new(&id) else { continue };
        let vital = super::rules::own_range(&fields, usual, faults);
        persons.push(Person { id, name, risks: fields.list("risks"), vital });
    }
    persons
}

pub(super) fn contacts(
    root: &Row<'_>,
    channels: &Channels,
    upstream: bool,
    faults: &mut Faults<'_>,
) -> Vec<Contact> {
    let mut names = Names::new("contact");
    let mut contacts = Vec::new();
    let rows = reader::rows(root, "contact", faults);
    let first = rows.first().map_or(0, |row| row.at);
    for (index, row) in rows.into_iter().enumerate() {
        let fields = reader::read(row, &Expected::only(&[&schema::CONTACT]), faults);
        let id = names.of(&fields, index + 1, faults);
        contacts.extend(contact(&id, &fields, channels, upstream, faults));
    }
    check_plan(&contacts, first, upstream, faults);
    contacts
}

/// Somebody must be there to be tried, over a way that works, at every minute of the week. A
/// centre upstream is told of every alert, so a home without contacts is not a home without help.
fn check_plan(contacts: &[Contact], at: usize, upstream: bool, faults: &mut Faults<'_>) {
    let works = |contact: &&Contact| contact.channels.iter().any(|c| CHANNELS_NOW.contains(c));
    if contacts.is_empty() {
        if upstream {
            return;
        }
        let message = "nobody is told of an alert: there is no contact who can be reached";
        faults.add(at, "contact", message, "add a [[contact]] with a channel that works");
    } else if !contacts.iter().any(|contact| works(&contact)) {
        let message = "nobody is told of an alert: no contact has a channel with a driver";
        let words = CHANNELS_NOW.map(|channel| format!("\"{}\"", channel.as_str())).join(" or ");
        faults.add(at, "contact", message, format!("give one of them {words}"));
    } else if let Some((day, hour, minute)) =
        uncovered(contacts.iter().filter(works).map(|contact| &contact.hours))
    {
        let message = format!("nobody can be tried on {day} at {hour:02}:{minute:02}");
        let mend = "give a contact with a channel that works hours = \"always\"";
        faults.add(at, "contact", message, mend);
    }
}

/// The ways that a contact without `channels` has, as far as they can work.
const BY_ITSELF: [ChannelKind; 5] = [
    ChannelKind::Ntfy,
    ChannelKind::Call,
    ChannelKind::Sms,
    ChannelKind::Mail,
    ChannelKind::Centre,
];

/// What a contact has to be reached by, and what the box has to reach them.
struct Means<'a> {
    phone: Option<String>,
    topic: Option<String>,
    mail: Option<String>,
    channels: &'a Channels,
    upstream: bool,
}

fn contact(
    id: &str,
    fields: &Fields<'_>,
    channels: &Channels,
    upstream: bool,
    faults: &mut Faults<'_>,
) -> Option<Contact> {
    let means = Means {
        phone: fields.text("phone"),
        topic: topic(fields, faults),
        mail: address(fields, "mail", faults),
        channels,
        upstream,
    };
    let mut sound = Vec::new();
    let written = fields.list("channels");
    for word in &written {
        let Some(channel) = ChannelKind::from_name(word) else { continue };
        match means.missing(channel) {
            None => sound.push(channel),
            // What is there and wrong was told already.
            Some((key, _)) if fields.row.table.contains_key(key) => {}
            Some(_) if faults.is_broken(fields.row.at) => {}
            Some((_, mend)) => {
                let message = format!("the channel `{word}` can not reach this contact");
                fields.fault(faults, "channels", message, mend);
            }
        }
    }
    if !fields.row.table.contains_key("channels") {
        let can = |c: &ChannelKind| means.missing(*c).is_none();
        sound.extend(BY_ITSELF.into_iter().filter(can));
    }
    if sound.is_empty() && written.is_empty() {
        let message = "this contact can not be reached over any channel";
        // An address is there, and the box has no way to it.
        let way = |c: &ChannelKind| means.missing(*c).filter(|(key, _)| key.is_empty());
        let mend = BY_ITSELF.iter().filter(|c| **c != ChannelKind::Centre).find_map(way).map_or(
            "add a phone, an ntfy_topic, a mail, or channels = [\"centre\"]",
            |(_, mend)| mend,
        );
        fields.fault(faults, "channels", message, mend);
    }
    if sound.is_empty() {
        return None;
    }
    Some(Contact {
        id: ContactId::new(id).ok()?,
        name: fields.text("name").unwrap_or_else(|| id.to_owned()),
        // Of an unknown role nothing follows but a person to try.
        role: fields.word("role", schema::contact_role).unwrap_or(ContactRole::Neighbour),
        phone: means.phone,
        channels: sound,
        window: fields.duration("window").unwrap_or(Duration::from_secs(60)),
        step: fields.number("step"),
        hours: fields.hours("hours").unwrap_or(Hours::Always),
        minutes_away: fields.number("minutes_away"),
        ntfy_topic: means.topic,
        mail: means.mail,
    })
}

impl Means<'_> {
    /// The key that a channel still needs, and the mend.
    fn missing(&self, channel: ChannelKind) -> Option<(&'static str, &'static str)> {
        let channels = self.channels;
        match channel {
            ChannelKind::Call | ChannelKind::Sms if self.phone.is_none() => {
                Some(("phone", "add phone = \"+86…\""))
            }
            ChannelKind::Ntfy if self.topic.is_none() => {
                Some(("ntfy_topic", "add ntfy_topic = \"…\""))
            }
            ChannelKind::Ntfy if channels.ntfy.is_none() => {
                Some(("", "add or mend [channels.ntfy] with url = \"https://…\""))
            }
            ChannelKind::Wecom if channels.wecom.is_none() => {
                Some(("", "add or mend [channels.wecom] with key_file = \"/etc/anju/…\""))
            }
            ChannelKind::Dingtalk if channels.dingtalk.is_none() => {
                Some(("", "add or mend [channels.dingtalk] with token_file and secret_file"))
            }
            ChannelKind::Mail if self.mail.is_none() => {
                Some(("mail", "add mail = \"name@example.com\""))
            }
            ChannelKind::Mail if channels.mail.is_none() => {
                Some(("", "add or mend [channels.mail] with url and from"))
            }
            ChannelKind::Centre if !self.upstream => {
                Some(("", "add or mend [upstream] with url = \"mqtts://…\""))
            }
            _ => None,
        }
    }
}

fn topic(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<String> {
    let text = fields.text("ntfy_topic")?;
    // ntfy itself takes fewer characters, other servers of its kind more; all of them take a part
    // of a path that needs no escape.
    let sound = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b))
        && !matches!(text.as_str(), "." | "..");
    if !sound {
        let message = "this is not an ntfy topic";
        fields.fault(faults, "ntfy_topic", message, "use 1 to 64 of A-Z, a-z, 0-9, - and _");
    }
    sound.then_some(text)
}
