//! The 4G modem, through ModemManager on the system bus: how it is, text messages out and in, and
//! what brings it back when it hangs. It must never wait for anything else of the box, never keep a
//! number or a text in a log, and never take "sent" for anything but the modem's own word.

mod ladder;
mod messages;
mod proxy;
mod service;
mod view;

pub use ladder::{Ladder, Rung};
pub use messages::{Incoming, LONGEST, Received, SEND_WITHIN, Sent, SmsError, words};
pub use service::{Bus, Modem};
pub use view::{Registration, Sim, Trouble, View};
