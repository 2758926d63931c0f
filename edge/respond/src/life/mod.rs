//! The alert book: what is open, who was tried, who comes, and what has to happen next. It is pure:
//! it gets findings, commands and delivery reports with the moment they came, and answers with
//! actions; it never does I/O, never reads a clock and never waits.
//!
//! Everything the book must remember over a restart stands in the alert changes that it asks to be
//! recorded: the same function applies a change when it happens and when it is recalled, so a box
//! that restarts in the middle goes on where it was.
//!
//! What holds at every moment:
//! - an open alarm that nobody accepted has a next tick: silence never stops the search for help;
//! - while somebody is coming or is there, nobody else is tried;
//! - what is felt long after somebody came for the last time begins anew, closed or not;
//! - only a human closes an alarm; a cancel turns it into a request to call back;
//! - the book names contacts of the household only: no public emergency number is ever tried.

mod action;
mod alert;
mod book;
mod civil;
mod commands;
mod effects;
mod findings;
mod floods;
mod notice;
pub mod outlook;
mod plan;
pub mod proof;
mod reach;
mod speech;
mod view;

pub use action::{
    Action, Announcement, Answer, Clip, Handled, Input, Lights, Notice, NoticeKind, RefusedCommand,
    Repeat, SirenPattern, Urgency, Words,
};
pub use alert::{ARRIVAL_GRACE, Stage};
pub use book::{Book, MAX_OPEN_PER_CLASS};
pub use civil::{DAY_BEGINS, DAY_ENDS};
pub(crate) use plan::gravest;
pub use view::{AlertView, HelperView};

#[cfg(test)]
mod tests;
