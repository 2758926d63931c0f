//! Modbus RTU meters: which registers there are and what they mean, no I/O; the frames are
//! `tokio-modbus`'s. It must never write a register: only the functions 03 and 04 are used.

mod station;
#[cfg(test)]
mod tests;

use anju_model::observation::Meter as Reading;

pub use station::Station;

/// A run of registers that is read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// First register, as on the wire.
    pub first: u16,
    /// How many, at most 125.
    pub count: u16,
}

/// Eastron SDM120 and SDM230, function 04, 32-bit floats with the high word first (Eastron's manual
/// of the SDM230): voltage 0000, current 0006, power 000C.
pub const SDM_MEASURES: Block = Block { first: 0x0000, count: 14 };
/// Import energy in kWh, 0048.
pub const SDM_ENERGY: Block = Block { first: 0x0048, count: 2 };
/// The SDM counts in steps of 0.01 kWh on its display; the float says no more, watt hours.
pub const SDM_STEP: f64 = 10.0;

/// Most kilowatt hours that are believed: the display has seven digits.
const MOST_KWH: f32 = 10_000_000.0;
/// Most watts, volts and amperes that are believed of a home's meter.
const MOST_WATTS: f32 = 100_000.0;
const MOST_VOLTS: f32 = 500.0;
const MOST_AMPERES: f32 = 200.0;

/// A 32-bit float out of two registers, the high word first; `None` when it is no number.
fn float(words: &[u16], at: u16) -> Option<f32> {
    let at = usize::from(at);
    let (high, low) = (words.get(at)?, words.get(at + 1)?);
    let value = f32::from_bits(u32::from(*high) << 16 | u32::from(*low));
    value.is_finite().then_some(value)
}

/// Reads the registers of an SDM. A figure that no home can have is absent.
pub fn sdm(measures: &[u16], energy: &[u16]) -> Reading {
    let within = |value: Option<f32>, least: f32, most: f32| {
        value.filter(|value| (least..=most).contains(value)).map(f64::from)
    };
    // A float knows about seven digits: what it does not know is not told.
    let rounded = |value: f64, places: f64| (value * places).round() / places;
    let kwh = within(float(energy, 0), 0.0, MOST_KWH);
    Reading {
        voltage_volts: within(float(measures, 0x00), 0.0, MOST_VOLTS).map(|v| rounded(v, 10.0)),
        current_amperes: within(float(measures, 0x06), 0.0, MOST_AMPERES)
            .map(|a| rounded(a, 1000.0)),
        power_watts: within(float(measures, 0x0C), -MOST_WATTS, MOST_WATTS)
            .map(|w| rounded(w, 10.0)),
        energy_watt_hours: kwh.map(|kwh| rounded(kwh * 1000.0, 1.0)),
        resolution: kwh.map(|_| SDM_STEP),
        ..Reading::default()
    }
}

/// TUF-2000M, function 03; the registers are documented from 1, which is 0000 on the wire. Flow in
/// m3/h and speed in 1 to 6, positive total in 9 to 12.
pub const TUF_FLOW: Block = Block { first: 0, count: 12 };
/// Error bits, 72.
pub const TUF_ERROR: Block = Block { first: 71, count: 1 };
/// Quality of the signal, 92, low byte, 0 to 99.
pub const TUF_QUALITY: Block = Block { first: 91, count: 1 };

/// Most flow that is believed of a home's pipe, m3/h.
const MOST_FLOW: f32 = 100.0;
/// Least that is taken for a flow, m3/h; below it a float is noise or the other word order.
const LEAST_FLOW: f32 = 1e-6;

/// Which word of a pair comes first. Meters of one make differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordOrder {
    /// `CD AB`, as most are shipped.
    LowFirst,
    /// `AB CD`
    HighFirst,
}

impl WordOrder {
    fn pair(self, words: &[u16], at: usize) -> Option<u32> {
        let (first, second) = (*words.get(at)?, *words.get(at + 1)?);
        let (high, low) = match self {
            WordOrder::HighFirst => (first, second),
            WordOrder::LowFirst => (second, first),
        };
        Some(u32::from(high) << 16 | u32::from(low))
    }

    fn float(self, words: &[u16], at: usize) -> Option<f32> {
        self.pair(words, at).map(f32::from_bits)
    }

    /// Whether the registers make sense in this order: flow, speed and the fraction of the total
    /// are small numbers or zero.
    fn fits(self, words: &[u16]) -> bool {
        let small = |at: usize, most: f32| {
            self.float(words, at)
                .is_some_and(|value| value == 0.0 || (LEAST_FLOW..=most).contains(&value.abs()))
        };
        let total = self.pair(words, 8).is_some_and(|total| total < 10_000_000);
        small(0, MOST_FLOW) && small(4, 50.0) && small(10, 1.0) && total
    }
}

/// The order in which the registers make sense. `None` when they do in both, as all zeros do, or in
/// neither.
pub fn word_order(words: &[u16]) -> Option<WordOrder> {
    match (WordOrder::LowFirst.fits(words), WordOrder::HighFirst.fits(words)) {
        (true, false) => Some(WordOrder::LowFirst),
        (false, true) => Some(WordOrder::HighFirst),
        _ => None,
    }
}

/// Reads the flow registers of a TUF-2000M in a word order. Figures that make no sense are absent.
pub fn tuf(words: &[u16], order: WordOrder) -> Reading {
    if !order.fits(words) {
        return Reading::default();
    }
    let flow = order.float(words, 0).map(f64::from);
    let total = order.pair(words, 8).zip(order.float(words, 10));
    let litres = total.map(|(whole, part)| (f64::from(whole) + f64::from(part)) * 1000.0);
    Reading {
        flow_litres_per_hour: flow.map(|flow| (flow * 100_000.0).round() / 100.0),
        volume_litres: litres.map(|litres| litres.round()),
        resolution: litres.map(|_| 1.0),
        ..Reading::default()
    }
}

/// What the error register says, in words; bit 0 is the first.
pub fn tuf_errors(bits: u16) -> Vec<&'static str> {
    const WORDS: [(u16, &str); 4] = [
        (0, "no signal is received: check that the sensors sit firmly with gel on a full pipe"),
        (1, "the signal is weak: check the sensors' gel and distance"),
        (2, "the signal is poor: check the sensors' gel and distance"),
        (3, "the pipe is empty"),
    ];
    WORDS.iter().filter(|(bit, _)| bits & (1 << bit) != 0).map(|(_, word)| *word).collect()
}
