//! What a rule found. Findings are the only thing that passes from the guard to the response; a
//! finding must never say whom to call or what to speak.

use jiff::Timestamp;

use crate::observation::Origin;
use crate::{AlertId, Class, EntryId, Rule};

/// One finding of one rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// Somebody should know. While an alert of the same rule, class and device is open, this
    /// repeats it.
    Raise(Raise),
    /// What was found before is over by itself (smoke clear, device heard again). It never closes
    /// an alarm: a human does; it is told to those who come.
    Over {
        /// The rule.
        rule: Rule,
        /// The device judged.
        origin: Option<Origin>,
        /// The entry that ended it.
        cause: EntryId,
    },
    /// The cancel gesture on a help device.
    Cancel {
        /// The device.
        origin: Origin,
        /// The entry of the gesture.
        cause: EntryId,
        /// Under test: it takes back nothing that is real.
        test: bool,
    },
    /// The box should ask the person before a rule raises (a local question, nobody is called).
    Ask {
        /// The rule that will raise.
        rule: Rule,
        /// The entry since which.
        cause: EntryId,
    },
}

/// Why somebody should know.
#[derive(Debug, Clone, PartialEq)]
pub struct Raise {
    /// The rule.
    pub rule: Rule,
    /// How grave.
    pub class: Class,
    /// The device judged, where it is one device.
    pub origin: Option<Origin>,
    /// The entry that raised it, or since which something is missing.
    pub cause: EntryId,
    /// Whether `cause` itself is the reason (a press), not what followed it (a silence).
    pub direct: bool,
    /// When a silence or absence began, where the clock was known.
    pub since: Option<Timestamp>,
    /// How many messages this stands for; at least 1.
    pub count: u32,
    /// Under test.
    pub test: bool,
    /// Only recorded, nobody is called (a rule that runs in the shadow).
    pub shadow: bool,
    /// What is lost, where the rule alone does not say it.
    pub lost: Option<Lost>,
    /// More is wrong than what an open alert of the same rule was raised for.
    pub more: bool,
}

/// What of the home or of the box does not work any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// Everything through which help can be called.
    Calls,
    /// Everything that sees a person.
    Sight,
    /// Every device.
    Devices,
    /// The box's page.
    Page,
}

impl Lost {
    /// The name in the texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Lost::Calls => "calls",
            Lost::Sight => "sight",
            Lost::Devices => "devices",
            Lost::Page => "page",
        }
    }
}

impl Raise {
    /// The id of the alert it raises, if none is open.
    pub fn alert_id(&self) -> AlertId {
        if self.direct {
            AlertId::of_entry(&self.cause)
        } else {
            let device = self.origin.as_ref().map(|origin| &origin.device);
            AlertId::since_entry(&self.cause, &self.rule, self.class, device)
        }
    }
}
