//! `[[person]]` and `[[contact]]`, and whether somebody can be reached at every hour of the week.

use std::time::Duration;

use super::section::Section;
use super::{Parts, values};
use crate::config::{ChannelKind, Contact, ContactRole, Hours, Person};
use crate::{ContactId, PersonId};

const ROLES: [(&str, ContactRole); 9] = [
    ("family", ContactRole::Family),
    ("neighbour", ContactRole::Neighbour),
    ("community", ContactRole::Community),
    ("social-worker", ContactRole::SocialWorker),
    ("volunteer", ContactRole::Volunteer),
    ("charity", ContactRole::Charity),
    ("property", ContactRole::Property),
    ("care-institution", ContactRole::CareInstitution),
    ("centre", ContactRole::Centre),
];

const CHANNELS: [ChannelKind; 7] = [
    ChannelKind::Call,
    ChannelKind::Sms,
    ChannelKind::Ntfy,
    ChannelKind::Wecom,
    ChannelKind::Dingtalk,
    ChannelKind::Mail,
    ChannelKind::Centre,
];

pub fn read(root: &mut Section<'_, '_>, parts: &mut Parts) {
    root.rows("person", |row| {
        if let Some(person) = person(row, &parts.persons) {
            parts.persons.push(person);
        }
    });
    let ntfy = parts.channels.ntfy.is_some();
    root.rows("contact", |row| {
        if let Some(contact) = contact(row, &parts.contacts, ntfy) {
            parts.contacts.push(contact);
        }
    });
}

fn person(row: &mut Section<'_, '_>, others: &[Person]) -> Option<Person> {
    let id: Option<PersonId> = needed_id(row);
    if id.as_ref().is_some_and(|id| others.iter().any(|other| other.id == *id)) {
        row.fault("id", "another person has this id", "give each person their own");
    }
    let name = row.needed("name", "write the name people use").unwrap_or_default();
    let risks = row.texts("risks").unwrap_or_default();
    let sound = row.sound();
    row.finish();
    sound.then_some(Person { id: id?, name, risks })
}

/// The row's id, which has to be there.
pub fn needed_id<T: std::str::FromStr>(row: &mut Section<'_, '_>) -> Option<T>
where
    T::Err: std::fmt::Display,
{
    if row.has("id") {
        return row.parsed("id", "use 1 to 64 of a-z, 0-9 and -");
    }
    row.missing("id", "use 1 to 64 of a-z, 0-9 and -");
    None
}

fn contact(row: &mut Section<'_, '_>, others: &[Contact], ntfy: bool) -> Option<Contact> {
    let id: Option<ContactId> = needed_id(row);
    if id.as_ref().is_some_and(|id| others.iter().any(|other| other.id == *id)) {
        row.fault("id", "another contact has this id", "give each contact their own");
    }
    let name = row.needed("name", "write the name people use").unwrap_or_default();
    let role = if row.has("role") {
        row.choice("role", &ROLES)
    } else {
        row.missing("role", "write what they are to the person, such as \"family\"");
        None
    };
    let phone = phone(row);
    let ntfy_topic = topic(row);
    let channels = channels(row);
    let hours = row.text("hours").map_or(Some(Hours::Always), |text| {
        let hours = values::hours(&text);
        if hours.is_none() {
            let mend = "write \"always\" or such as \"mon-fri 08:30-17:30\"";
            row.fault("hours", &format!("`{text}` is not understood"), mend);
        }
        hours
    });
    let window = row.duration("window", Duration::from_secs(10), Duration::from_secs(3600));
    let step = row.number("step", 1..=99);
    let minutes_away = row.number("minutes_away", 0..=1440);
    let sound = row.sound();
    // From here on only one way to the contact is missing; the contact stays.
    for channel in &channels {
        let need = match channel {
            ChannelKind::Call | ChannelKind::Sms if phone.is_none() => "phone = \"+86…\"",
            ChannelKind::Ntfy if ntfy_topic.is_none() => "ntfy_topic = \"…\"",
            ChannelKind::Ntfy if !ntfy => "[channels.ntfy] with url = \"https://…\"",
            _ => continue,
        };
        let message = format!("channel `{}` can not work", channel.as_str());
        row.fault("channels", &message, &format!("it needs {need}"));
    }
    row.finish();
    (sound).then_some(Contact {
        id: id?,
        name,
        role: role?,
        phone,
        channels,
        window: window.unwrap_or(Duration::from_secs(60)),
        step: step.unwrap_or(1),
        hours: hours?,
        minutes_away,
        ntfy_topic,
    })
}

fn phone(row: &mut Section<'_, '_>) -> Option<String> {
    let text = row.text("phone")?;
    let digits = text.strip_prefix('+').unwrap_or(&text);
    if ["110", "119", "120", "122", "112"].contains(&digits) {
        let mend = "name a person or a centre; the address is given to whoever calls";
        row.fault("phone", "the box never dials public emergency numbers by itself", mend);
        return None;
    }
    let fine = text.starts_with('+')
        && (7..=15).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !digits.starts_with('0');
    if !fine {
        let mend = "write it with the country, such as \"+8613800000000\"";
        row.fault("phone", &format!("`{text}` is not a telephone number"), mend);
    }
    fine.then_some(text)
}

fn topic(row: &mut Section<'_, '_>) -> Option<String> {
    let text = row.text("ntfy_topic")?;
    let fine = (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !fine {
        let mend = "use 1 to 64 of A-Z, a-z, 0-9, - and _";
        row.fault("ntfy_topic", &format!("`{text}` is not an ntfy topic"), mend);
    }
    fine.then_some(text)
}

fn channels(row: &mut Section<'_, '_>) -> Vec<ChannelKind> {
    let mut channels = Vec::new();
    for text in row.texts("channels").unwrap_or_default() {
        match CHANNELS.into_iter().find(|channel| channel.as_str() == text) {
            Some(channel) if !channels.contains(&channel) => channels.push(channel),
            Some(_) => {}
            None => {
                let names = CHANNELS.map(ChannelKind::as_str);
                let near = values::nearest(&text, names.into_iter());
                let mend = match near {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => format!("allowed: {}", names.join(", ")),
                };
                row.fault("channels", &format!("`{text}` is not a channel"), &mend);
            }
        }
    }
    channels
}

/// Somebody must be there to be tried, and at every hour of the week.
pub fn check_plan(root: &mut Section<'_, '_>, parts: &Parts) {
    if parts.contacts.is_empty() {
        let mend = "add a [[contact]] with a name, a role and a channel";
        root.fault("contact", "nobody would be told", mend);
        return;
    }
    let uncovered = (0..7 * 24).find(|hour| {
        let (day, minute) = (hour / 24, (hour % 24) * 60);
        !parts.contacts.iter().any(|contact| covers(&contact.hours, day, minute))
    });
    if let Some(hour) = uncovered {
        let day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][usize::from(hour / 24)];
        let message = format!("nobody can be tried on {day} at {:02}:00", hour % 24);
        root.fault("contact", &message, "give somebody hours = \"always\", such as the centre");
    }
}

/// Whether hours cover a whole hour that begins at a minute of a day (0 = Monday).
fn covers(hours: &Hours, day: u16, minute: u16) -> bool {
    let Hours::Weekly { first, last, from_minute, to_minute } = hours else { return true };
    let index = |day: &jiff::civil::Weekday| day.to_monday_zero_offset().unsigned_abs().into();
    let (first, last): (u16, u16) = (index(first), index(last));
    let in_days = |day: u16| {
        if first <= last { (first..=last).contains(&day) } else { day >= first || day <= last }
    };
    let (from, to) = (*from_minute, *to_minute);
    let end = minute + 60;
    if from < to {
        return in_days(day) && minute >= from && end <= to;
    }
    (in_days(day) && minute >= from) || (in_days((day + 6) % 7) && end <= to)
}
