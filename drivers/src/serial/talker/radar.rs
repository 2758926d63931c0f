//! The radars whose frames begin with `53 59`: Seeed MR24HPC1, MR60FDA1 (falls) and MR60BHA1 (breath,
//! heart, sleep), DFRobot SEN0623. Their makers' manuals give the frame as
//! `53 59 control command length(2, high first) data sum 54 43`, the sum over all bytes before it;
//! a query is the command with bit 7 and data `0F`, its answer has that bit too. A fall is only
//! credible from overhead, so that a person who lies still for long is told besides. That breathing
//! has stopped is told only of somebody who was last seen still and not out of bed: the breath of
//! whoever moves is not found. The older MR24FDB1 and the newer BHA2 and FDA2 speak otherwise and are
//! not understood.

use std::time::Duration;

use anju_model::observation::{Bed, Fall, FallState, Motion, Presence, SleepStage, Vital};
use anju_model::{DeviceKind, Fact};

use super::{ASK_EVERY, Heard, Talker, frames};
use crate::serial::stream::{BadFrame, Framed, Step, Stream, sum};

/// Bits a second, 8N1.
pub const BAUD: u32 = 115_200;

/// Longest data taken, bytes; the manuals' longest is 30.
const MOST_DATA: usize = 64;
/// Start, control, command, length.
const HEADER: usize = 6;
/// Sum and end.
const TRAILER: usize = 3;

/// The radar says something each minute, and is asked each minute.
const SILENCE: Duration = Duration::from_secs(150);

/// While breathing is said to have stopped, it is asked this often whether it still has: one word is
/// no alarm, and a minute is long for who does not breathe.
const ASK_OF_BREATH: Duration = Duration::from_secs(15);

/// One frame whose sum holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Which function.
    pub control: u8,
    /// Which of its values.
    pub command: u8,
    /// At most 64 bytes.
    pub data: Vec<u8>,
}

impl Framed for Frame {
    const LONGEST: usize = HEADER + MOST_DATA + TRAILER;

    fn starts(byte: u8) -> bool {
        byte == 0x53
    }

    fn step(bytes: &[u8]) -> Step<Self> {
        if bytes.get(1).is_some_and(|byte| *byte != 0x59) {
            return Step::NoFrame;
        }
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else {
            return Step::Unfinished;
        };
        let [_, _, control, command, high, low] = *header;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > MOST_DATA {
            return Step::NoFrame;
        }
        let (Some(data), Some([found, 0x54, 0x43])) =
            (rest.get(..length), rest.get(length..length + TRAILER))
        else {
            let whole = rest.len() >= length + TRAILER;
            return if whole { Step::Bad(BadFrame::End) } else { Step::Unfinished };
        };
        let computed = sum(header).wrapping_add(sum(data));
        if computed != *found {
            return Step::Bad(BadFrame::CheckSum { found: *found, computed });
        }
        Step::Frame(Self { control, command, data: data.to_vec() }, HEADER + length + TRAILER)
    }
}

/// What a frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Somebody is there.
    Presence(bool),
    /// Something moves.
    Moving(bool),
    /// A fall is suspected, or over.
    Fall(bool),
    /// A person lies or stands still for longer than the radar's limit.
    Still(bool),
    /// Breathing is found.
    Breathing(bool),
    /// Breaths a minute; `None` without a reading.
    BreathRate(Option<u8>),
    /// Heart beats a minute; `None` without a reading.
    HeartRate(Option<u8>),
    /// In bed.
    InBed(bool),
    /// A stage of sleep; `None` while there is none.
    Sleep(Option<SleepStage>),
}

/// What a frame says; `None` for what the box has no use for, and for values that are none.
pub fn said(frame: &Frame) -> Option<Said> {
    let &[value] = frame.data.as_slice() else { return None };
    let flag = match value {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    };
    // An answer to a query means the same.
    match (frame.control, frame.command & 0x7F) {
        (0x80, 0x01) => flag.map(Said::Presence),
        (0x80, 0x02) => match value {
            0 | 1 => Some(Said::Moving(false)),
            2 => Some(Said::Moving(true)),
            _ => None,
        },
        (0x83, 0x01) => flag.map(Said::Fall),
        (0x83, 0x05) => flag.map(Said::Still),
        (0x81, 0x01) => match value {
            1..=3 => Some(Said::Breathing(true)),
            4 => Some(Said::Breathing(false)),
            _ => None,
        },
        (0x81, 0x02) => Some(Said::BreathRate((1..=60).contains(&value).then_some(value))),
        (0x85, 0x02) => Some(Said::HeartRate((20..=250).contains(&value).then_some(value))),
        (0x84, 0x01) => flag.map(Said::InBed),
        (0x84, 0x02) => match value {
            0 => Some(Said::Sleep(Some(SleepStage::Deep))),
            1 => Some(Said::Sleep(Some(SleepStage::Light))),
            2 => Some(Said::Sleep(Some(SleepStage::Awake))),
            3 => Some(Said::Sleep(None)),
            _ => None,
        },
        _ => None,
    }
}

/// A radar.
#[derive(Debug)]
pub struct Radar {
    kind: DeviceKind,
    stream: Stream<Frame>,
    /// What was measured, but for `apnoea`.
    vital: Vital,
    /// What was last told of breathing that stopped.
    apnoea: Option<bool>,
    fallen: bool,
    present: Option<bool>,
    moving: Option<bool>,
    in_bed: Option<bool>,
}

impl Radar {
    /// A radar used as that kind of device.
    pub fn new(kind: DeviceKind) -> Self {
        Self {
            kind,
            stream: Stream::default(),
            vital: Vital::default(),
            apnoea: None,
            fallen: false,
            present: None,
            moving: None,
            in_bed: None,
        }
    }

    fn take(&mut self, said: Said, facts: &mut Vec<Fact>) {
        match said {
            Said::Presence(present) => {
                self.present = Some(present);
                facts.push(Presence { present }.into());
                if !present {
                    // Nothing that was measured of somebody holds for nobody.
                    self.vital = Vital::default();
                }
            }
            Said::Moving(moving) => {
                self.moving = Some(moving);
                facts.push(Motion { moving }.into());
                if moving {
                    self.breathes(facts);
                }
            }
            Said::Fall(fallen) => {
                let before = std::mem::replace(&mut self.fallen, fallen);
                if fallen || before {
                    let state = if fallen { FallState::Suspected } else { FallState::Over };
                    facts.push(Fall { state }.into());
                }
            }
            // Who fell and lies still has really fallen; who only sits still has not.
            Said::Still(true) if self.fallen => {
                facts.push(Fall { state: FallState::Confirmed }.into());
            }
            Said::Still(_) => {}
            Said::Breathing(true) => self.tell_apnoea(false, facts),
            // Who is not seen any more is not seen to breathe again either.
            Said::Breathing(false) if self.apnoea == Some(true) && self.present != Some(true) => {}
            Said::Breathing(false) => {
                let rests = self.present == Some(true)
                    && self.moving == Some(false)
                    && self.in_bed != Some(false);
                self.tell_apnoea(rests, facts);
            }
            Said::BreathRate(rate) => {
                self.measure(facts, |vital| vital.breaths_per_minute = rate.map(f64::from));
                if rate.is_some() {
                    self.breathes(facts);
                }
            }
            Said::HeartRate(rate) => {
                self.measure(facts, |vital| vital.heart_beats_per_minute = rate.map(f64::from));
            }
            Said::InBed(occupied) => {
                self.in_bed = Some(occupied);
                facts.push(Bed { occupied }.into());
                if !occupied {
                    self.breathes(facts);
                }
            }
            Said::Sleep(stage) => self.measure(facts, |vital| vital.sleep_stage = stage),
        }
    }

    /// What shows that somebody lives ends what was said of the breath.
    fn breathes(&mut self, facts: &mut Vec<Fact>) {
        if self.apnoea == Some(true) {
            self.tell_apnoea(false, facts);
        }
    }

    /// Tells whether breathing has stopped, each time it has and once that it has not. Other
    /// readings do not carry it on: whoever judges takes each for a word of its own.
    fn tell_apnoea(&mut self, stopped: bool, facts: &mut Vec<Fact>) {
        if stopped {
            // The rate is one of before.
            self.vital.breaths_per_minute = None;
        }
        if self.apnoea.replace(stopped) != Some(false) || stopped {
            facts.push(Vital { apnoea: Some(stopped), ..self.vital.clone() }.into());
        }
    }

    fn measure(&mut self, facts: &mut Vec<Fact>, change: impl FnOnce(&mut Vital)) {
        change(&mut self.vital);
        if self.vital != Vital::default() {
            facts.push(self.vital.clone().into());
        }
    }
}

fn frame(control: u8, command: u8, value: u8) -> Vec<u8> {
    let mut wire = vec![0x53, 0x59, control, command, 0, 1, value];
    wire.push(sum(&wire));
    wire.extend([0x54, 0x43]);
    wire
}

/// A query's command and data.
fn query(control: u8, command: u8) -> Vec<u8> {
    frame(control, command | 0x80, 0x0F)
}

impl Talker for Radar {
    fn hear(&mut self, bytes: &[u8]) -> Heard {
        let mut stream = std::mem::take(&mut self.stream);
        let heard = frames(&mut stream, bytes, |frame, facts| {
            if let Some(said) = said(&frame) {
                self.take(said, facts);
            }
        });
        self.stream = stream;
        heard
    }

    fn begin(&self) -> Vec<Vec<u8>> {
        let mut begin = Vec::new();
        if self.kind == DeviceKind::FallDetector {
            // Falls and long stillness are reported only while switched on.
            begin.extend([frame(0x83, 0x00, 1), frame(0x83, 0x0B, 1)]);
        }
        begin.extend(self.ask());
        begin
    }

    fn ask(&self) -> Vec<Vec<u8>> {
        let mut ask = vec![query(0x80, 0x01), query(0x80, 0x02)];
        match self.kind {
            DeviceKind::FallDetector => ask.extend([query(0x83, 0x01), query(0x83, 0x05)]),
            DeviceKind::SleepMonitor | DeviceKind::Mattress => {
                // Where somebody is before whether the breath is found.
                ask.extend([query(0x84, 0x01), query(0x81, 0x02), query(0x85, 0x02)]);
                ask.push(query(0x81, 0x01));
            }
            _ => {}
        }
        ask
    }

    fn ask_every(&self) -> Duration {
        if self.apnoea == Some(true) { ASK_OF_BREATH } else { ASK_EVERY }
    }

    fn silence(&self) -> Option<Duration> {
        Some(SILENCE)
    }
}
