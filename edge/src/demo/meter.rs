//! An electricity meter at the far end of a pseudo terminal. It speaks DL/T 645-2007 from its own
//! few lines, written from the standard: it must share nothing with the decoder that reads it, or a
//! fault in both would go unseen. It answers reading and nothing else.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use tokio::sync::watch;

use super::{DemoError, io};

/// The number on its label.
pub const ADDRESS: &str = "000031415926";
/// The same on the wire, low digits first.
const ADDRESS_ON_WIRE: [u8; 6] = [0x26, 0x59, 0x41, 0x31, 0x00, 0x00];
/// The data identifier of the power on the wire.
const POWER_ON_WIRE: [u8; 4] = [0x33, 0x33, 0x36, 0x35];
/// What the home takes at night, watts.
const BASE_WATTS: u32 = 85;
/// What it takes more while the kettle boils, watts.
pub const KETTLE_WATTS: u32 = 1800;
/// Import when the day begins, watt hours.
const BEGAN_AT: f64 = 3_141_590.0;

/// The running meter.
pub struct Meter {
    path: PathBuf,
    kettle: watch::Sender<Kettle>,
    /// Keeps the terminal alive while the daemon is not there.
    _held: rustix::fd::OwnedFd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kettle {
    Off,
    On,
    /// On, and the meter was asked for the power since.
    Told,
}

impl Meter {
    /// Starts it on a thread of its own.
    pub fn start() -> Result<Self, DemoError> {
        let opening = io("opening a terminal for the meter");
        let (wires, path, held) = terminal().map_err(|error| opening(error.into()))?;
        let (kettle, _) = watch::channel(Kettle::Off);
        let told = kettle.clone();
        std::thread::Builder::new()
            .name("demo-meter".into())
            .spawn(move || answer(wires, &told))
            .map_err(io("starting the meter"))?;
        Ok(Self { path, kettle, _held: held })
    }

    /// The port at which it can be read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The kettle is switched on.
    pub fn boil(&self) {
        self.kettle.send_replace(Kettle::On);
    }

    /// Waits until somebody has read that it boils.
    pub async fn told_boiling(&self) {
        // Its sender is here, so it does not close.
        let _ = self.kettle.subscribe().wait_for(|kettle| *kettle == Kettle::Told).await;
    }
}

fn terminal() -> rustix::io::Result<(File, PathBuf, rustix::fd::OwnedFd)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let path = PathBuf::from(ptsname(&master, Vec::new())?.to_string_lossy().into_owned());
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let held = rustix::fs::open(&path, flags, Mode::empty())?;
    Ok((File::from(master), path, held))
}

/// Answers until the terminal is gone.
fn answer(mut wires: File, kettle: &watch::Sender<Kettle>) {
    let mut heard = Vec::new();
    let mut bytes = [0; 64];
    let mut counter = Counter { watt_hours: BEGAN_AT, at: Instant::now() };
    while let Ok(count @ 1..) = wires.read(&mut bytes) {
        heard.extend(bytes.iter().take(count));
        // A reading request is 16 bytes from its first 68, which FE bytes wake.
        let start = heard.iter().position(|byte| *byte == 0x68).unwrap_or(heard.len());
        heard.drain(..start);
        let Some(request) = heard.first_chunk::<16>().copied() else { continue };
        heard.clear();
        let boils = *kettle.borrow() != Kettle::Off;
        let watts = BASE_WATTS + if boils { KETTLE_WATTS } else { 0 };
        let watt_hours = counter.count(watts);
        if let Some(reply) = reply(&request, watts, watt_hours)
            && wires.write_all(&reply).is_err()
        {
            return;
        }
        if boils && request[10..14] == POWER_ON_WIRE {
            kettle.send_replace(Kettle::Told);
        }
    }
}

/// The counter wheel.
struct Counter {
    watt_hours: f64,
    at: Instant,
}

impl Counter {
    fn count(&mut self, watts: u32) -> f64 {
        let now = Instant::now();
        self.watt_hours += f64::from(watts) * (now - self.at).as_secs_f64() / 3600.0;
        self.at = now;
        self.watt_hours
    }
}

/// The frame that answers a request, if it is one to this meter.
fn reply(request: &[u8; 16], watts: u32, watt_hours: f64) -> Option<Vec<u8>> {
    let [0x68, address @ .., 0x68, 0x11, 0x04, d0, d1, d2, d3, sum, 0x16] = request else {
        return None;
    };
    let summed = request[..14].iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    if *address != ADDRESS_ON_WIRE || *sum != summed {
        return None;
    }
    // On the wire every data byte is 33 higher.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small counter")]
    let hundredths_of_kwh = (watt_hours / 10.0) as u32;
    let (control, data) = match [d3, d2, d1, d0].map(|byte| byte.wrapping_sub(0x33)) {
        [0x00, 0x01, 0x00, 0x00] => (0x91, decimal(hundredths_of_kwh, 4)),
        [0x02, 0x03, 0x00, 0x00] => (0x91, decimal(watts * 10, 3)),
        [0x02, 0x01, 0x01, 0x00] => (0x91, decimal(2301, 2)),
        [0x02, 0x02, 0x01, 0x00] => (0x91, decimal(watts * 1000 / 230, 3)),
        // No such data.
        _ => (0xD1, vec![0x02]),
    };
    let mut frame = vec![0xFE, 0xFE, 0xFE, 0xFE, 0x68];
    frame.extend(ADDRESS_ON_WIRE);
    frame.extend([0x68, control]);
    let asked = if control == 0x91 { vec![*d0, *d1, *d2, *d3] } else { Vec::new() };
    frame.extend(u8::try_from(asked.len() + data.len()));
    frame.extend(asked);
    frame.extend(data.iter().map(|byte| byte.wrapping_add(0x33)));
    frame.push(frame.iter().skip(4).fold(0, |sum: u8, byte| sum.wrapping_add(*byte)));
    frame.push(0x16);
    Some(frame)
}

/// `count` bytes of two decimal digits each, the lowest first.
fn decimal(mut number: u32, count: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(count);
    for _ in 0..count {
        let (tens, ones) = (number / 10 % 10, number % 10);
        bytes.extend(u8::try_from(tens * 16 + ones));
        number /= 100;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::reply;

    #[test]
    fn it_answers_reading_and_nothing_else() {
        let mut request = *b"\x68\x26\x59\x41\x31\x00\x00\x68\x11\x04\x33\x33\x34\x33\xA3\x16";
        let told = reply(&request, 85, 3_141_590.0).unwrap();
        assert_eq!(
            told[4..],
            *b"\x68\x26\x59\x41\x31\x00\x00\x68\x91\x08\x33\x33\x34\x33\x8C\x74\x64\x33\xBE\x16"
        );
        // Writing, then another meter's.
        request[8] = 0x14;
        request[14] += 3;
        assert_eq!(reply(&request, 85, 0.0), None);
        request[8] = 0x11;
        request[1] = 0x27;
        request[14] -= 2;
        assert_eq!(reply(&request, 85, 0.0), None);
    }
}
