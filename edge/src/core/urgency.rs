//! How soon an entry must be on the disk. Alarms now; what somebody waits for now; readings of
//! meters and the weather in the room can wait, to spare the card.

use anju_journal::Urgency;
use anju_model::delivery::DeliveryState;
use anju_model::{Body, BoxEvent, Fact};

/// The urgency of an entry; `awaited` when somebody waits for the record.
pub fn of(body: &Body, awaited: bool) -> Urgency {
    if awaited {
        return Urgency::Now;
    }
    match body {
        Body::Alert(_) => Urgency::Now,
        Body::Delivery(d) if matches!(d.state, DeliveryState::Requested) => Urgency::Now,
        // An installer stands there, and waits for it.
        Body::Observation(said) if said.test => Urgency::Now,
        Body::Box(BoxEvent::Acceptance { .. }) => Urgency::Now,
        Body::Observation(said) => match &said.fact {
            Fact::Help(_)
            | Fact::Fall(_)
            | Fact::Smoke(_)
            | Fact::Gas(_)
            | Fact::CarbonMonoxide(_)
            | Fact::Leak(_) => Urgency::Now,
            Fact::Meter(_) | Fact::Climate(_) | Fact::Air(_) | Fact::Link(_) | Fact::Battery(_) => {
                Urgency::Lazy
            }
            _ => Urgency::Grouped,
        },
        // What is told of a loss must not be lost itself.
        Body::Box(BoxEvent::Gap { .. }) => Urgency::Now,
        // Who asked is told that it is done.
        Body::Box(BoxEvent::Away { .. } | BoxEvent::Command { .. }) => Urgency::Now,
        Body::Delivery(_) | Body::Box(_) | Body::Unknown { .. } => Urgency::Grouped,
    }
}
