//! What a camera's notifications mean: movement, by its picture, its cells or a field that is drawn in
//! it, and a person where the camera tells one apart. No I/O. What was so
//! before the box began to listen is a base line; only a change is an event. Topics that are not
//! known say nothing.

use anju_model::observation::Seen;

use super::xml::Element;

/// One thing that a camera says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    /// What it recognised.
    pub seen: Seen,
    /// Whether it is there now.
    pub active: bool,
    /// It was so when the box began to listen.
    pub baseline: bool,
}

/// Where cameras tell what they recognise (ONVIF Imaging Service Specification, section 5.4.1;
/// Analytics Service Specification, annex A; and the makers' own detectors beside those).
const ROOTS: &[&str] = &["VideoSource/", "RuleEngine/", "UserAlarm/", "VideoAnalytics/"];

/// Words of a topic, an item or a type that mean a person. `IVA/HumanShapeDetect`,
/// `MyRuleDetector/PeopleDetect`, `PeopleDetector/People`, the type `Human`.
const HUMAN: &[&str] = &["human", "people", "person", "pedestrian", "face"];

/// Words of a topic that mean that something moves or stands in the picture.
const MOTION: &[&str] =
    &["motion", "objectsinside", "vehicledetect", "dogcatdetect", "intrusion", "smartevent"];

fn holds(text: &str, words: &[&str]) -> bool {
    let text = text.to_ascii_lowercase();
    words.iter().any(|word| text.contains(word))
}

/// The notices in the answer to a pull, oldest first.
pub fn notices(body: &Element) -> Vec<Notice> {
    let messages = body.children.iter().filter(|child| child.name == "NotificationMessage");
    messages.filter_map(notice).collect()
}

fn notice(message: &Element) -> Option<Notice> {
    let topic = &message.child("Topic")?.text;
    let plain: Vec<&str> =
        topic.split('/').map(|part| part.rsplit_once(':').map_or(part, |(_, name)| name)).collect();
    let plain = plain.join("/");
    if !ROOTS.iter().any(|root| plain.starts_with(root)) {
        return None;
    }
    let message = message.at(&["Message", "Message"])?;
    let baseline = match message.attribute("PropertyOperation") {
        Some("Changed") => false,
        Some("Initialized") => true,
        // Deleted: the rule was taken away in the camera's settings.
        Some(_) => return None,
        // A notice that is no property is one of now.
        None => false,
    };
    let items = &message.child("Data")?.children;
    // `State`, or the question that it answers: `IsMotion`, `IsInside`, `IsPeople`.
    let state = items.iter().find_map(|item| {
        let name = item.attribute("Name")?;
        (name == "State" || name.starts_with("Is")).then_some((name, item))
    });
    let (name, item) = state?;
    let active = match item.attribute("Value")? {
        "true" | "1" => true,
        "false" | "0" => false,
        _ => return None,
    };
    let seen = if holds(&plain, HUMAN) || holds(name, HUMAN) || is_person(message) {
        Seen::Person
    } else if holds(&plain, MOTION) {
        Seen::Motion
    } else {
        return None;
    };
    Some(Notice { seen, active, baseline })
}

/// Whether the type of what was recognised is told and is a person.
fn is_person(message: &Element) -> bool {
    let parts = ["Source", "Key", "Data"].iter().filter_map(|part| message.child(part));
    parts.flat_map(|part| &part.children).any(|item| {
        let typed = item.attribute("Name").is_some_and(|name| holds(name, &["type", "class"]));
        typed && item.attribute("Value").is_some_and(|value| holds(value, HUMAN))
    })
}
