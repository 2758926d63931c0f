//! What a dialect is: it alone knows what topics and payloads mean. A dialect is a pure state machine
//! from messages to observations, so that it can be tested and fuzzed without a broker. It must
//! never take a retained message for an event, and never change anything when it can not understand.

use anju_model::observation::Origin;
use anju_model::{DeviceId, Observation};
use thiserror::Error;
use tokio::time::Instant;

use super::voice::Voice;
use crate::driver::Action;

/// Why a message can not be understood.
#[derive(Debug, Error)]
pub enum Malformed {
    /// The topic is not UTF-8.
    #[error("the topic is not UTF-8")]
    Topic,
    /// The payload is larger than any that a device has.
    #[error("a message of {0} bytes is larger than any that is read")]
    TooLarge(usize),
    /// The payload is not what this topic carries.
    #[error("the payload is not what this topic carries: {0}")]
    Payload(#[from] serde_json::Error),
    /// The payload is JSON of another shape.
    #[error("the payload is not a JSON object")]
    NotAnObject,
    /// The payload can not be read without a key.
    #[error("the payload is encrypted; switch encryption off in the app, and TLS on")]
    Encrypted,
    /// A value is none that is known here.
    #[error("{0}")]
    Value(String),
}

/// How a message was heard.
#[derive(Debug, Clone, Copy)]
pub struct Heard {
    /// Kept by the broker from before.
    pub retain: bool,
    /// How many identical messages it stands for.
    pub count: u32,
    /// When.
    pub at: Instant,
    /// The box's wall clock, Unix seconds; it may be wrong.
    pub wall: i64,
}

/// A message to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Topic.
    pub topic: String,
    /// Payload.
    pub payload: Vec<u8>,
}

/// How an order ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The device that was asked.
    pub device: DeviceId,
    /// Whether it obeyed, as far as can be told, or why not.
    pub result: Result<(), String>,
}

/// What a topic has below a base; `None` if it is not below it.
pub fn below<'t>(base: &str, topic: &'t str) -> Option<&'t str> {
    topic.strip_prefix(base)?.strip_prefix('/')
}

/// One dialect with the devices it knows.
pub trait Dialect: Send {
    /// What to subscribe to.
    fn filters(&self) -> Vec<String>;

    /// Those that are heard under one of the filters.
    fn heard_on(&self, filter: &str) -> Vec<Origin>;

    /// A new connection: what was said while it was down is unknown. What goes on over it, such as a
    /// flag that stays or the circle somebody is in, must not be forgotten: told again, it would be
    /// a call for help, and forgotten, one who left meanwhile would never be missed.
    fn connected(&mut self, now: Instant);

    /// Turns one message into observations.
    ///
    /// # Errors
    /// [`Malformed`] if it is for us and can not be understood; nothing changes then.
    fn understand(
        &mut self,
        topic: &str,
        payload: &[u8],
        heard: Heard,
    ) -> Result<Vec<Observation>, Malformed>;

    /// Whether a live message on that topic can be understood only once more is known, which is
    /// still to come on this connection.
    fn is_early(&self, topic: &str) -> bool {
        let _ = topic;
        false
    }

    /// The device whose own topic this is, if there is one.
    fn owner(&self, topic: &str) -> Option<&Origin> {
        let _ = topic;
        None
    }

    /// What a device says is told by; where its next reading can be told whatever it is.
    fn voice(&mut self, device: &DeviceId) -> Option<&mut Voice> {
        let _ = device;
        None
    }

    /// The message that makes a device do something; `None` if it can not. An [`Answer`] follows.
    fn order(&mut self, device: &DeviceId, action: &Action, now: Instant) -> Option<Order> {
        let _ = (device, action, now);
        None
    }

    /// Orders that have ended by now.
    fn answers(&mut self, now: Instant) -> Vec<Answer> {
        let _ = now;
        Vec::new()
    }

    /// Messages to devices that are due by now and follow from an earlier order.
    fn due_orders(&mut self, now: Instant) -> Vec<Order> {
        let _ = now;
        Vec::new()
    }

    /// What is to be told by now without a message: a device that was said to be lost stayed so.
    fn due_news(&mut self, now: Instant) -> Vec<Observation> {
        let _ = now;
        Vec::new()
    }

    /// When [`Dialect::answers`], [`Dialect::due_orders`] and [`Dialect::due_news`] are to be asked
    /// without a message.
    fn due(&self) -> Option<Instant> {
        None
    }
}
