//! From the level of a line to what the device on it says. Joins the filter, the state machine of
//! the kind and the meaning of the wiring. The level found at the start is a base line and never an
//! alarm, except that a detector's contact which signals danger is believed at any time.

use std::time::Duration;

use anju_model::config::ButtonContact;
use anju_model::observation::{
    Bed, Bell, Call, CallState, Contact, Gas, Gesture as Presses, Help, Leak, Medication,
    MedicationState, Motion, Smoke, Trouble,
};
use anju_model::{DeviceKind, Fact};

use super::debounce::Debounce;
use super::gesture::{Button, Event, Gesture, Timings};
use super::lines::Edge;
use super::pir::{Pir, PirEvent, PirTimings};
use super::reed;
use super::storm::Storm;

/// One thing that an input says.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The fact.
    pub fact: Fact,
    /// Found at the start rather than happened.
    pub baseline: bool,
}

impl Said {
    fn event(fact: impl Into<Fact>) -> Self {
        Self { fact: fact.into(), baseline: false }
    }

    fn trouble(active: bool, reason: &str) -> Self {
        Self::event(Trouble { active, reason: reason.to_owned() })
    }
}

/// What a line stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A help button.
    Help,
    /// The box's own call button.
    Call,
    /// A doorbell.
    Bell,
    /// A passive infrared sensor.
    Motion,
    /// A door contact.
    Door,
    /// A smoke detector's dry contact.
    Smoke,
    /// A gas detector's dry contact.
    Gas,
    /// A water detector's dry contact.
    Leak,
    /// A pressure strip under a mattress, which somebody's weight takes away from rest.
    Bed,
    /// The lid of a pill box, with its contact like a door's.
    Lid,
}

impl Role {
    /// The input that serves a kind of device, if one does.
    pub const fn of(kind: DeviceKind) -> Option<Self> {
        Some(match kind {
            DeviceKind::FixedAlarm => Self::Help,
            DeviceKind::OneTouchSpeaker => Self::Call,
            DeviceKind::Doorbell => Self::Bell,
            DeviceKind::Motion => Self::Motion,
            DeviceKind::DoorContact => Self::Door,
            DeviceKind::Smoke => Self::Smoke,
            DeviceKind::Gas => Self::Gas,
            DeviceKind::WaterLeak => Self::Leak,
            DeviceKind::BedStrap => Self::Bed,
            DeviceKind::PillBox => Self::Lid,
            _ => return None,
        })
    }
}

/// The times that the inputs go by.
#[derive(Debug, Clone, Copy, Default)]
pub struct InputTimings {
    /// Of buttons.
    pub button: Timings,
    /// Of infrared sensors.
    pub pir: PirTimings,
}

#[derive(Debug)]
enum Machine {
    Button(Button),
    Pir(Pir),
    /// The level is the message; holds whether the line is away from rest.
    Level(bool),
}

/// One input line. Times are offsets on the clock of its edges.
#[derive(Debug)]
pub struct Input {
    role: Role,
    contact: ButtonContact,
    filter: Debounce,
    storm: Storm,
    machine: Machine,
    /// The last raw level known.
    closed: bool,
    /// No edge has come yet.
    fresh: bool,
}

impl Input {
    /// An input whose level at `at` is known, and its base line. `debounce` is zero where the kernel
    /// debounces.
    pub fn new(
        role: Role,
        contact: ButtonContact,
        debounce: Duration,
        timings: InputTimings,
        closed: bool,
        at: Duration,
    ) -> (Self, Vec<Said>) {
        let away = reed::away_from_rest(contact, closed);
        let machine = match role {
            Role::Help | Role::Call | Role::Bell => {
                Machine::Button(Button::new(timings.button, away, at))
            }
            Role::Motion => Machine::Pir(Pir::new(timings.pir, away, at)),
            _ => Machine::Level(away),
        };
        let found = match role {
            Role::Help | Role::Call | Role::Bell | Role::Lid => Vec::new(),
            Role::Motion => vec![Said { fact: Motion { moving: false }.into(), baseline: true }],
            Role::Door | Role::Bed => vec![Said { fact: level_fact(role, away), baseline: true }],
            // Danger that is there at the start is danger.
            _ => vec![Said { fact: level_fact(role, away), baseline: !away }],
        };
        let filter = Debounce::new(debounce, away);
        (
            Self { role, contact, filter, storm: Storm::default(), machine, closed, fresh: true },
            found,
        )
    }

    /// Takes an edge.
    pub fn edge(&mut self, edge: Edge) -> Vec<Said> {
        // A first edge to the level that was read at the start came before the reading, late.
        let late = std::mem::take(&mut self.fresh) && edge.closed == self.closed;
        self.closed = edge.closed;
        let mut said = Vec::new();
        let away = reed::away_from_rest(self.contact, edge.closed);
        // Missing raw edges are bounce; missing settled edges are presses.
        let lost = (edge.lost || late) && self.filter.passes_all();
        if let Some(settled) = self.filter.edge(edge.at, away) {
            self.settled(settled.at, settled.active, lost, &mut said);
        } else if lost {
            self.settled(edge.at, away, lost, &mut said);
        }
        if self.storm.edge(edge.at) {
            said.push(Said::trouble(true, STORM));
        }
        said
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Duration) -> Vec<Said> {
        let mut said = Vec::new();
        if let Some(settled) = self.filter.tick(now) {
            self.settled(settled.at, settled.active, false, &mut said);
        }
        match &mut self.machine {
            Machine::Button(button) => {
                let events = button.tick(now);
                said.extend(events.into_iter().filter_map(|e| press(self.role, e)));
            }
            Machine::Pir(pir) => said.extend(pir.tick(now).into_iter().map(motion)),
            Machine::Level(_) => {}
        }
        if self.storm.tick(now) {
            said.push(Said::trouble(false, STORM));
        }
        said
    }

    /// When [`Input::tick`] will next have something to say if no edge comes.
    pub fn wake(&self) -> Option<Duration> {
        let machine = match &self.machine {
            Machine::Button(button) => button.wake(),
            Machine::Pir(pir) => pir.wake(),
            Machine::Level(_) => None,
        };
        [self.filter.wake(), machine, self.storm.wake()].into_iter().flatten().min()
    }

    /// Whether a level read from the line contradicts what its edges told.
    pub const fn contradicts(&self, closed: bool) -> bool {
        closed != self.closed
    }

    fn settled(&mut self, at: Duration, away: bool, lost: bool, said: &mut Vec<Said>) {
        match &mut self.machine {
            Machine::Button(button) => {
                let events = button.edge(at, away, lost);
                said.extend(events.into_iter().filter_map(|e| press(self.role, e)));
            }
            Machine::Pir(pir) => said.extend(pir.edge(at, away).into_iter().map(motion)),
            Machine::Level(told) if *told != away => {
                *told = away;
                let fact = level_fact(self.role, away);
                // A lid that closes says nothing: what was taken was taken while it was open.
                if self.role != Role::Lid || reed::door_open(away) {
                    said.push(Said::event(fact));
                }
            }
            Machine::Level(_) => {}
        }
    }
}

const STORM: &str = "the line never rests; check its cable, contact and pull resistor";

fn level_fact(role: Role, away: bool) -> Fact {
    match role {
        Role::Smoke => Smoke { alarm: away, self_test: false }.into(),
        Role::Gas => Gas { alarm: away, percent_lel: None, self_test: false }.into(),
        Role::Leak => Leak { wet: away }.into(),
        Role::Bed => Bed { occupied: away }.into(),
        Role::Lid => Medication { state: MedicationState::Opened }.into(),
        // The other roles are no levels; a door is.
        _ => Contact { open: reed::door_open(away) }.into(),
    }
}

fn motion(event: PirEvent) -> Said {
    const HANGS: &str = "the sensor's output hangs; check the sensor and its supply";
    match event {
        PirEvent::Moving => Said::event(Motion { moving: true }),
        PirEvent::Still => Said::event(Motion { moving: false }),
        PirEvent::Hangs => Said::trouble(true, HANGS),
        PirEvent::Freed => Said::trouble(false, HANGS),
    }
}

/// What a gesture means on a button. How a press ended is not told for a help button: each of its
/// presses has been told already, and telling it again would look like another.
fn press(role: Role, event: Event) -> Option<Said> {
    const STUCK: &str =
        "the button has been down for a minute; free it, or look whether somebody lies on it";
    Some(match (event.gesture, role) {
        (Gesture::Stuck, _) => Said::trouble(true, STUCK),
        (Gesture::Freed, _) => Said::trouble(false, STUCK),
        (Gesture::Pressed { run }, Role::Help) => {
            let gesture = match run {
                0 | 1 => None,
                2 => Some(Presses::Double),
                _ => Some(Presses::Triple),
            };
            Said::event(Help { gesture, ..Help::pressed() })
        }
        (Gesture::Cancel, Role::Help) => Said::event(Help::cancelled()),
        (Gesture::Pressed { .. }, Role::Call) => Said::event(Call { state: CallState::Asked }),
        (Gesture::Cancel, Role::Call) => Said::event(Call { state: CallState::Cancelled }),
        (Gesture::Pressed { .. }, _) => Said::event(Bell { rung: true }),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
