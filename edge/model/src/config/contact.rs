//! Contacts: who is told, over what, and when they can come.

use std::time::Duration;

use crate::ContactId;

/// Somebody who is told and may come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Identifier.
    pub id: ContactId,
    /// The name people use.
    pub name: String,
    /// What they are to the person.
    pub role: ContactRole,
    /// Telephone number in E.164 form.
    pub phone: Option<String>,
    /// Ways to reach them, in their order of preference.
    pub channels: Vec<ChannelKind>,
    /// Time to accept before the next step of the plan; default 60 s.
    pub window: Duration,
    /// Contacts of one step are tried at once; from 1. Where no contact has one, the usual plan
    /// holds.
    pub step: Option<u32>,
    /// When they can be tried.
    pub hours: Hours,
    /// Minutes they need to get here, if known.
    pub minutes_away: Option<u32>,
    /// Their ntfy topic.
    pub ntfy_topic: Option<String>,
    /// Their mail address.
    pub mail: Option<String>,
}

/// What a contact is to the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContactRole {
    /// `family`
    Family,
    /// `neighbour`
    Neighbour,
    /// `community`
    Community,
    /// `social-worker`
    SocialWorker,
    /// `volunteer`
    Volunteer,
    /// `charity`
    Charity,
    /// `property`
    Property,
    /// `care-institution`
    CareInstitution,
    /// `centre`
    Centre,
}

impl ContactRole {
    /// The name in configuration and entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            ContactRole::Family => "family",
            ContactRole::Neighbour => "neighbour",
            ContactRole::Community => "community",
            ContactRole::SocialWorker => "social-worker",
            ContactRole::Volunteer => "volunteer",
            ContactRole::Charity => "charity",
            ContactRole::Property => "property",
            ContactRole::CareInstitution => "care-institution",
            ContactRole::Centre => "centre",
        }
    }
}

/// A way to reach a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChannelKind {
    /// `call`: a telephone call.
    Call,
    /// `sms`: a text message.
    Sms,
    /// `ntfy`: a push message.
    Ntfy,
    /// `wecom`: a WeCom group robot.
    Wecom,
    /// `dingtalk`: a DingTalk group robot.
    Dingtalk,
    /// `mail`: electronic mail.
    Mail,
    /// `centre`: through the upstream centre.
    Centre,
}

impl ChannelKind {
    /// Every way.
    pub const ALL: [ChannelKind; 7] = [
        ChannelKind::Call,
        ChannelKind::Sms,
        ChannelKind::Ntfy,
        ChannelKind::Wecom,
        ChannelKind::Dingtalk,
        ChannelKind::Mail,
        ChannelKind::Centre,
    ];

    /// The way of that name.
    pub fn from_name(name: &str) -> Option<ChannelKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether it goes by the modem's SIM card itself, rather than over any network.
    pub const fn by_sim(self) -> bool {
        matches!(self, ChannelKind::Call | ChannelKind::Sms)
    }

    /// The name in configuration and entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            ChannelKind::Call => "call",
            ChannelKind::Sms => "sms",
            ChannelKind::Ntfy => "ntfy",
            ChannelKind::Wecom => "wecom",
            ChannelKind::Dingtalk => "dingtalk",
            ChannelKind::Mail => "mail",
            ChannelKind::Centre => "centre",
        }
    }
}

/// A day of the week.
pub type Weekday = jiff::civil::Weekday;

/// When somebody can be tried, in the household's civil time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hours {
    /// `always`
    Always,
    /// `mon-fri 08:30-17:30`: from day to day inclusive, from minute to minute of the day
    /// (the end exclusive; an end before the start runs over midnight).
    Weekly {
        /// First day.
        first: Weekday,
        /// Last day.
        last: Weekday,
        /// Minute of the day it begins.
        from_minute: u16,
        /// Minute of the day it ends.
        to_minute: u16,
    },
}
