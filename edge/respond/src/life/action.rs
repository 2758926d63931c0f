//! What goes into the book and what comes out of it. Plain data.

use std::sync::Arc;

use anju_model::command::Request;
use anju_model::config::ChannelKind;
use anju_model::{
    AlertChange, AlertId, BoxEvent, Class, ContactId, Delivery, Finding, PersonId, RoomId, Rule,
};
use thiserror::Error;

use crate::prompts::PromptId;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A rule judged.
    Finding(Finding),
    /// A human asked: accept, arrived, close, follow up.
    Request(Request),
    /// A way out reports about one message.
    Delivered(Delivery),
    /// A speaker or the siren really began for that alert.
    Announced {
        /// Which alert.
        alert: AlertId,
        /// `speaker`, `satellite-<id>`, `siren` or `light-<device>`.
        by: String,
    },
    /// A contact answered without naming an alert.
    Answered {
        /// Who.
        contact: ContactId,
        /// What.
        answer: Answer,
        /// When they sent it, where the way tells.
        sent: Option<jiff::Timestamp>,
        /// It came just now, rather than out of a store in which it may have lain for long.
        fresh: bool,
        /// The channel it came over.
        via: ChannelKind,
    },
}

/// What a contact can answer without naming an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// I take it on.
    Accept,
    /// I am there.
    Arrived,
}

impl Answer {
    /// The name in entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Arrived => "arrived",
        }
    }
}

/// What to do. To be carried out in this order, none waiting for another.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Write a step of an alert's life.
    Record(AlertChange),
    /// Write what became of a message.
    RecordDelivery(Delivery),
    /// Write an event of the box.
    RecordBox(BoxEvent),
    /// Say this; it takes the place of what its slot said before.
    Announce(Announcement),
    /// Say nothing more in that slot.
    Quiet {
        /// The announcement's slot.
        slot: Arc<str>,
    },
    /// The siren shall sound.
    Sound {
        /// Because of which alert.
        alert: AlertId,
        /// How.
        pattern: SirenPattern,
    },
    /// The siren shall be still.
    Hush,
    /// The lights that announce shall be so.
    Lights(Lights),
    /// Tell a contact.
    Notify(Notice),
    /// The alert is over: what is not yet sent about it, save the news that it is over, need not go.
    Withdraw {
        /// Which alert.
        alert: AlertId,
    },
}

/// How a siren sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SirenPattern {
    /// Somebody needs help here: sound and flash for a while.
    Attract,
    /// Leave the home: until somebody answers.
    Evacuate,
    /// Leave the home, there may be gas: no relay may switch, since it sparks.
    WithoutSpark,
}

/// What the lights show that announce for who hears badly.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lights {
    /// They blink because of this alert; as ever, if absent.
    pub alert: Option<AlertId>,
    /// Whether a switch may be moved: it sparks, and there may be gas.
    pub may_spark: bool,
}

impl Default for Lights {
    fn default() -> Self {
        Self { alert: None, may_spark: true }
    }
}

/// How urgent an utterance is. The greater interrupts the smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Urgency {
    /// By day only.
    Low,
    /// Waits its turn.
    Action,
    /// At any hour; interrupts.
    Critical,
}

/// How often it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Repeat {
    /// Once.
    Once,
    /// A few times, then again and again until its slot is quiet or says something else.
    UntilQuiet,
}

/// One piece of an utterance.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Clip {
    /// A prompt of the catalogue.
    Prompt(PromptId),
    /// The room's name, where there is a clip for it.
    Room(RoomId),
    /// Who it is about, where their name was recorded or can be spoken.
    Person(PersonId),
    /// Who somebody is: a recording of their name, or else a prompt.
    Contact {
        /// Who.
        id: ContactId,
        /// What is said where nobody recorded or can speak the name.
        otherwise: PromptId,
    },
    /// Free words, spoken only where a voice for them is installed.
    Words(String),
}

/// One utterance.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Announcement {
    /// What a later announcement replaces: an alert's id, or another name that is its own.
    pub slot: Arc<str>,
    /// The alert it tells of.
    pub alert: Option<AlertId>,
    /// How urgent.
    pub urgency: Urgency,
    /// How often.
    pub repeat: Repeat,
    /// What is heard, in this order.
    pub clips: Vec<Clip>,
}

/// What a contact is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NoticeKind {
    /// Somebody is needed.
    Call,
    /// It was cancelled; somebody is needed to call back.
    CallBack,
    /// It was felt again after somebody had accepted.
    Again,
    /// It was cancelled; told to those who know of it, who can still say that they call back.
    Cancelled,
    /// Somebody else has accepted.
    Accepted,
    /// The contact's own answer came through; told over the way it came by.
    Taken,
    /// Who accepted did not come in time.
    Lapsed,
    /// What was felt is over by itself; the alarm stays open.
    Over,
    /// It is closed.
    Closed,
    /// The contact answered when it was closed already; told over the way the answer came by.
    Late,
    /// A test, announced as one, that asks for an answer.
    Trial,
    /// A test for who has no way to answer.
    TrialNotice,
    /// The test was answered.
    Thanks,
}

impl NoticeKind {
    /// The name in entries and of its sentences.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::CallBack => "call-back",
            Self::Again => "again",
            Self::Cancelled => "cancelled",
            Self::Accepted => "accepted",
            Self::Taken => "taken",
            Self::Lapsed => "lapsed",
            Self::Over => "over",
            Self::Closed => "closed",
            Self::Late => "late",
            Self::Trial => "trial",
            Self::TrialNotice => "trial-notice",
            Self::Thanks => "thanks",
        }
    }

    /// Whether the contact can accept from it.
    pub const fn answerable(self) -> bool {
        matches!(
            self,
            Self::Call
                | Self::CallBack
                | Self::Again
                | Self::Cancelled
                | Self::Lapsed
                | Self::Trial
        )
    }
}

/// A title and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Words {
    /// A few words.
    pub title: String,
    /// A sentence.
    pub body: String,
}

/// One message to one contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Which alert.
    pub alert: AlertId,
    /// To whom.
    pub contact: ContactId,
    /// Over what, all at once.
    pub channels: Vec<ChannelKind>,
    /// What it tells.
    pub kind: NoticeKind,
    /// How grave the alert is.
    pub class: Class,
    /// The rule that judged.
    pub rule: Rule,
    /// A test.
    pub test: bool,
    /// With names and rooms; for ways that do not leave them in the clear, or are allowed to.
    pub full: Words,
    /// Without names and rooms.
    pub discreet: Words,
}

/// What the book answers to an input.
#[derive(Debug, Clone, PartialEq)]
pub struct Handled {
    /// What to do.
    pub actions: Vec<Action>,
    /// Whether the command was carried out; always `Ok` for other inputs.
    pub answer: Result<(), RefusedCommand>,
}

/// Why a command is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RefusedCommand {
    /// No such alert.
    #[error("no alert `{0}` is known; look up the open alerts and use the id of one of them")]
    UnknownAlert(AlertId),
    /// It is over.
    #[error("alert `{alert}` was already closed by {by}; nothing is left to do")]
    AlreadyClosed {
        /// Which alert.
        alert: AlertId,
        /// Who closed it.
        by: String,
    },
    /// It is not over yet.
    #[error("alert `{0}` is still open; close it first, then follow up")]
    StillOpen(AlertId),
    /// Not about an alert.
    #[error("`{0}` is not about an alert; the box carries it out elsewhere")]
    NotAboutAnAlert(&'static str),
    /// Too far away.
    #[error("{0} minutes are too many; give 1440 or fewer")]
    TooManyMinutes(u32),
    /// The request's id can not be kept.
    #[error("the command's id is longer than 256 bytes; use a shorter one")]
    IdTooLong,
}
