//! The far end of a serial port: a pseudo terminal with a device on it that answers what it is asked
//! and says by itself what a test lets it say. It knows bytes only.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_serial::{SerialPort, SerialStream};

/// A device that talks by itself says it again after this long.
const AGAIN: Duration = Duration::from_millis(100);

/// Bytes of a frame; `CRC` is the check sum of a Modbus frame over all before it.
fn bytes(hex: &str) -> Vec<u8> {
    let mut frame = Vec::new();
    for word in hex.split_whitespace() {
        match word {
            "CRC" => frame.extend(modbus_sum(&frame).to_le_bytes()),
            byte => frame.push(u8::from_str_radix(byte, 16).unwrap()),
        }
    }
    frame
}

/// From the description of Modbus over serial line.
fn modbus_sum(frame: &[u8]) -> u16 {
    let mut crc = 0xFFFFu16;
    for byte in frame {
        crc ^= u16::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 };
        }
    }
    crc
}

#[derive(Default)]
struct Script {
    answers: Vec<(Vec<u8>, Vec<u8>)>,
    again: Vec<u8>,
    once: Vec<u8>,
}

pub struct Wire {
    pub path: String,
    script: Arc<Mutex<Script>>,
    device: tokio::task::JoinHandle<()>,
}

impl Wire {
    pub fn new() -> Self {
        let (far, near) = SerialStream::pair().unwrap();
        let path = near.name().unwrap();
        let script = Arc::new(Mutex::new(Script::default()));
        let device = tokio::spawn(play(far, near, Arc::clone(&script)));
        Self { path, script, device }
    }

    /// Whoever asks so is answered so from now on.
    pub fn answer(&self, request: &str, reply: &str) {
        self.script.lock().unwrap().answers.push((bytes(request), bytes(reply)));
    }

    /// Says this again and again from now on.
    pub fn talk(&self, hex: &str) {
        self.script.lock().unwrap().again = bytes(hex);
    }

    /// Says this once.
    pub fn say(&self, hex: &str) {
        self.script.lock().unwrap().once.extend(bytes(hex));
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.device.abort();
    }
}

/// Holds the near end open too, so that the far end never sees a hang-up.
async fn play(mut far: SerialStream, near: SerialStream, script: Arc<Mutex<Script>>) {
    let (mut heard, mut read) = (Vec::<u8>::new(), [0; 256]);
    let mut again = tokio::time::interval(AGAIN);
    loop {
        let says = tokio::select! {
            _ = again.tick() => {
                let mut script = script.lock().unwrap();
                let mut says = std::mem::take(&mut script.once);
                says.extend(&script.again);
                says
            }
            count = far.read(&mut read) => {
                let Ok(count @ 1..) = count else { break };
                heard.extend(&read[..count]);
                let asked = |wanted: &[u8]| heard.windows(wanted.len()).any(|part| part == wanted);
                let answers = &script.lock().unwrap().answers;
                let reply = answers.iter().find(|(wanted, _)| asked(wanted)).map(|(_, r)| r.clone());
                match &reply {
                    Some(_) => heard.clear(),
                    None => drop(heard.drain(..heard.len().saturating_sub(64))),
                }
                reply.unwrap_or_default()
            }
        };
        if far.write_all(&says).await.is_err() {
            break;
        }
    }
    drop(near);
}
