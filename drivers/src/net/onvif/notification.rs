//! What a camera's notifications mean: movement by its picture or by its cells. No I/O. What was so
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

/// Topics without prefixes, the item that carries the state, and what is seen (ONVIF Imaging Service
/// Specification, section 5.4.1; Video Analytics Service Specification, annex A).
const TOPICS: [(&str, &str, Seen); 2] = [
    ("VideoSource/MotionAlarm", "State", Seen::Motion),
    ("RuleEngine/CellMotionDetector/Motion", "IsMotion", Seen::Motion),
];

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
    let (_, item, seen) = TOPICS.iter().find(|(known, _, _)| *known == plain)?;
    let message = message.at(&["Message", "Message"])?;
    let baseline = match message.attribute("PropertyOperation")? {
        "Changed" => false,
        "Initialized" => true,
        // Deleted: the rule was taken away in the camera's settings.
        _ => return None,
    };
    let items = &message.child("Data")?.children;
    let named = |child: &&Element| child.attribute("Name") == Some(item);
    let active = match items.iter().find(named)?.attribute("Value")? {
        "true" | "1" => true,
        "false" | "0" => false,
        _ => return None,
    };
    Some(Notice { seen: *seen, active, baseline })
}
