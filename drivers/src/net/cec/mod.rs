//! A television or set-top box at the other end of an HDMI cable, by HDMI-CEC and the kernel's
//! device. The box is a player among others on the cable's line: it asks the television for its
//! power status and hears what the television tells all. It must never switch, wake or otherwise
//! command a device, never call it off because of one lost message, and never take away the
//! addresses that another program has set.
//!
//! - [`message`]: what is said on the line, a decoder without I/O;
//! - [`Television`]: what is known of it, pure.

pub mod message;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::time::Duration;

use anju_model::observation::Power;
use cec_linux::tokio::AsyncCec;
use cec_linux::{
    Capabilities, CecLogAddrType, CecLogAddrs, CecLogicalAddress, CecModeFollower,
    CecModeInitiator, CecMsg, CecOpcode, CecPrimDevType, OSDStr, TxStatus, VendorID, Version,
};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{Broken, Voice};
use crate::memory::SIGN_OF_LIFE;
use message::{Heard, Message};

/// Questions in a row without an answer before a television counts as off: without its mains, or
/// with the cable pulled.
const QUESTIONS_TO_OFF: u32 = 2;
/// After something happened the television is asked this much later, and then again: most take some
/// seconds to wake or to fall asleep.
const ASK_AFTER: Duration = Duration::from_secs(2);
/// What the television shows as the name of its input: 14 characters at most.
const NAME: &str = "Anju";

/// What is known of a television. Pure.
#[derive(Debug, Default)]
pub struct Television {
    on: Option<bool>,
    unanswered: u32,
}

impl Television {
    /// Takes what a message says; gives what is new, and whether that is only a base line.
    pub fn heard(&mut self, heard: Heard) -> Option<(bool, bool)> {
        let on = match heard {
            Heard::On => true,
            Heard::Standby => false,
            Heard::Changes | Heard::Unable => {
                self.unanswered = 0;
                return None;
            }
            Heard::Nothing => return None,
        };
        self.unanswered = 0;
        self.is(on)
    }

    /// Takes that a question is sent: the one before it, if it had no answer, was in vain.
    pub fn asked(&mut self) -> Option<(bool, bool)> {
        let vain = self.unanswered >= QUESTIONS_TO_OFF;
        self.unanswered = self.unanswered.saturating_add(1);
        if vain { self.is(false) } else { None }
    }

    fn is(&mut self, on: bool) -> Option<(bool, bool)> {
        let was = self.on.replace(on);
        (was != Some(on)).then_some((on, was.is_none()))
    }
}

/// Serves a television for ever.
pub(super) async fn serve(
    path: &Path,
    poll: Duration,
    voice: &mut Voice<'_>,
) -> Result<(), Broken> {
    let line = Line::open(path)?;
    let device = &*line.device;
    let mut television = Television::default();
    let mut said_at = Instant::now();
    let mut question = interval(poll);
    question.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut minute = interval(Duration::from_secs(60));
    let (mut unable, mut malformed, mut last) = (false, 0u32, Vec::new());
    loop {
        let news = tokio::select! {
            _ = question.tick() => {
                line.ask().await?;
                television.asked()
            }
            _ = minute.tick() => {
                if malformed > 0 {
                    tracing::warn!(device, malformed, ?last, "messages that can not be understood");
                }
                malformed = 0;
                None
            }
            // However much is said: the line itself carries no more than some 40 messages a second.
            frame = line.hear() => {
                let frame = frame?;
                let said = Message::read(&frame).and_then(|message| {
                    Ok((message.heard()?, message.answer().map(|answer| (message.from, answer))))
                });
                match said {
                    Ok((heard, answer)) => {
                        if let Some((to, (opcode, operands))) = answer {
                            line.say(to, opcode, &operands).await?;
                        }
                        if heard == Heard::Changes {
                            question.reset_after(ASK_AFTER.min(poll));
                        }
                        if heard == Heard::Unable && !std::mem::replace(&mut unable, true) {
                            tracing::warn!(
                                device,
                                "the television does not tell whether it is on; use `presence`, or \
                                 a plug that measures"
                            );
                        }
                        television.heard(heard)
                    }
                    Err(error) => {
                        tracing::debug!(device, %error, ?frame, "a malformed message");
                        malformed = malformed.saturating_add(1);
                        last = frame;
                        None
                    }
                }
            }
        };
        if let Some((on, first)) = news {
            voice.say(Power { on }, first).await?;
            said_at = Instant::now();
        } else if let Some(on) = television.on.filter(|_| said_at.elapsed() >= SIGN_OF_LIFE) {
            voice.say(Power { on }, true).await?;
            said_at = Instant::now();
        }
    }
}

/// The box's end of the line. The adapter's events are never fetched: the library knows only two of
/// their kinds, and how the adapter stands is asked where it matters.
struct Line {
    device: String,
    cec: AsyncCec,
}

impl Line {
    fn open(path: &Path) -> Result<Self, Broken> {
        let device = path.display().to_string();
        let failed = |error: io::Error| {
            let mend = match error.kind() {
                io::ErrorKind::NotFound => {
                    "does the board have HDMI-CEC, and is its driver loaded (`ls /dev/cec*`)?"
                }
                io::ErrorKind::PermissionDenied => "let the service's user into the group `video`",
                io::ErrorKind::ResourceBusy => "end the program that has it for itself alone",
                _ => "look whether the cable is plugged in",
            };
            Broken::Device(format!("{device}: {error}; {mend}"))
        };
        let cec = AsyncCec::open(path).map_err(failed)?;
        let able = cec.get_capas().map_err(failed)?.capabilities();
        if !able.contains(Capabilities::TRANSMIT) {
            let reason = format!("{device} can not send; name another device");
            return Err(Broken::Device(reason));
        }
        cec.set_mode(CecModeInitiator::Send, CecModeFollower::All).map_err(failed)?;
        if able.contains(Capabilities::LOG_ADDRS) {
            match cec.set_log(player()) {
                // Set by another program, or by an earlier start.
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {}
                set => set.map_err(failed)?,
            }
        }
        Ok(Self { device, cec })
    }

    fn failed(&self, error: &io::Error) -> Broken {
        Broken::Device(format!("{}: {error}; plug the adapter in again", self.device))
    }

    /// The box's own address on the line, while it has one: there is none without a cable.
    fn address(&self) -> Result<Option<CecLogicalAddress>, Broken> {
        let claimed = self.cec.get_log().map_err(|error| self.failed(&error))?.mask();
        let own = (0..15).filter(|n| claimed.bits() & 1 << n != 0);
        Ok(own.filter_map(|n: u8| CecLogicalAddress::try_from(n).ok()).next())
    }

    /// Asks the television for its power status.
    async fn ask(&self) -> Result<(), Broken> {
        self.say(message::TELEVISION, message::GIVE_POWER, &[]).await
    }

    /// Sends. What can not be sent now is not sent: the next question comes soon.
    async fn say(&self, to: u8, opcode: u8, operands: &[u8]) -> Result<(), Broken> {
        let Some(own) = self.address()? else { return Ok(()) };
        let (Ok(to), Ok(opcode)) = (CecLogicalAddress::try_from(to), CecOpcode::try_from(opcode))
        else {
            return Ok(());
        };
        match self.cec.transmit_data(own, to, opcode, operands).await {
            Err(error) if error.raw_os_error() == Some(NO_DEVICE) => Err(self.failed(&error)),
            Err(error) => {
                tracing::debug!(device = self.device, %error, "not sent");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// The next message that somebody else sent.
    async fn hear(&self) -> Result<Vec<u8>, Broken> {
        loop {
            let message = self.cec.rec().await.map_err(|error| self.failed(&error))?;
            // What became of a message of ours comes the same way; its answer says more.
            if message.sequence == 0 {
                return Ok(frame(&message));
            }
            if message.tx_status.contains(TxStatus::MAX_RETRIES) {
                tracing::trace!(device = self.device, "not acknowledged");
            }
        }
    }
}

/// `ENODEV`: the adapter was unplugged.
const NO_DEVICE: i32 = 19;

/// The bytes of a message.
fn frame(message: &CecMsg) -> Vec<u8> {
    let mut frame = vec![u8::from(message.initiator()) << 4 | u8::from(message.destination())];
    match message.opcode() {
        Some(Ok(opcode)) => frame.push(opcode.into()),
        Some(Err(unknown)) => frame.push(unknown.number),
        None => {}
    }
    frame.extend_from_slice(message.parameters());
    frame
}

/// What the box is on the line.
fn player() -> CecLogAddrs {
    CecLogAddrs::new(
        VendorID::NONE,
        Version::V1_4,
        OSDStr::from(NAME.as_bytes()),
        &[CecPrimDevType::PLAYBACK],
        &[CecLogAddrType::PLAYBACK],
    )
}
