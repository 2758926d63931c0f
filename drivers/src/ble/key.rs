//! The keys of devices that encrypt their adverts, AES-128-CCM with a tag of 4 bytes, and the
//! memory of their counters. Keys must never be shown, and an old message sent again never count.

use std::fmt;
use std::time::Duration;

use aes::Aes128;
use ccm::Ccm;
use ccm::aead::{AeadInOut, KeyInit};
use ccm::consts::{U4, U12, U13};
use thiserror::Error;
use tokio::time::Instant;

use super::bytes::Malformed;

/// The bytes of a tag.
pub(super) const TAG: usize = 4;

/// A device's key.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 16]);

/// A text that is no key. It does not carry the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it holds no key of 32 hexadecimal digits; copy the bind key of the device into it")]
pub struct NoKey;

impl Key {
    /// Reads 32 hexadecimal digits; blanks around them are passed over.
    ///
    /// # Errors
    /// [`NoKey`] if it is anything else.
    pub fn parse(text: &str) -> Result<Self, NoKey> {
        let digits = text.trim().as_bytes();
        let mut key = [0; 16];
        if digits.len() != 2 * key.len() {
            return Err(NoKey);
        }
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16).ok_or(NoKey);
            let [high, low] = [digit(pair[0])?, digit(pair[1])?];
            *byte = u8::try_from(high << 4 | low).map_err(|_| NoKey)?;
        }
        Ok(Self(key))
    }

    /// Decrypts `text` with a nonce of 13 bytes and nothing beside it.
    pub(super) fn open_13(
        &self,
        nonce: &[u8; 13],
        text: &[u8],
        tag: [u8; TAG],
    ) -> Result<Vec<u8>, Malformed> {
        let mut plain = text.to_vec();
        Ccm::<Aes128, U4, U13>::new(&self.0.into())
            .decrypt_inout_detached(&(*nonce).into(), &[], plain.as_mut_slice().into(), &tag.into())
            .map_err(|_| Malformed::WrongKey)?;
        Ok(plain)
    }

    /// Decrypts `text` with a nonce of 12 bytes, authenticating `beside` with it.
    pub(super) fn open_12(
        &self,
        nonce: &[u8; 12],
        beside: &[u8],
        text: &[u8],
        tag: [u8; TAG],
    ) -> Result<Vec<u8>, Malformed> {
        let mut plain = text.to_vec();
        Ccm::<Aes128, U4, U12>::new(&self.0.into())
            .decrypt_inout_detached(
                &(*nonce).into(),
                beside,
                plain.as_mut_slice().into(),
                &tag.into(),
            )
            .map_err(|_| Malformed::WrongKey)?;
        Ok(plain)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// A counter lower than this may be that of a device that just got a new battery.
const FRESH: u32 = 128;
/// After so long without a message that counts, any lower counter may be.
const SILENCE: Duration = Duration::from_secs(10 * 60);
/// So many growing counters in a row make a new beginning believed.
const BELIEVED_AFTER: u8 = 3;

/// What a counter says of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// Not heard before.
    New,
    /// The same as the last one: devices repeat each message several times.
    Repeated,
    /// Older than the last one.
    Old,
}

/// The counter of one device. Only an authentic message may be shown to it.
///
/// A device starts from zero when its battery is changed. Were it refused until it has caught up,
/// a help button would be mute for months, so that three lower counters in a row that grow are
/// believed; frightened people press again. A beginning that the box did not hear, because the
/// battery was changed elsewhere, may already stand at any height: it is believed in the same way
/// once the old count has been silent for ten minutes, which a device that lives and is near is not.
///
/// One recorded message sent again never passes. Three recorded ones, in their order and after such a
/// silence, do: nothing in them differs from a device that counts anew under its old key. That is
/// accepted. It needs somebody with a transmitter at the house, who can so call for help in vain or
/// show an old state of a device that is silent anyway; while it sends, and an alarm does, nothing
/// old passes, and its next message, which counts higher, ends what was replayed. The other way a
/// person who presses is not heard.
#[derive(Debug, Clone, Default)]
pub struct Counter {
    last: Option<u32>,
    /// When a message last counted, or was a repeat of one that did.
    heard: Option<Instant>,
    /// The highest of the lower counters in a row, and how many they are.
    fresh: Option<(u32, u8)>,
}

impl Counter {
    /// Takes the counter of an authentic message.
    pub fn take(&mut self, counter: u32, now: Instant) -> Age {
        if self.last == Some(counter) {
            self.heard = Some(now);
            return Age::Repeated;
        }
        if self.last.is_some_and(|last| counter < last) && !self.restarted(counter, now) {
            return Age::Old;
        }
        self.last = Some(counter);
        self.heard = Some(now);
        self.fresh = None;
        Age::New
    }

    fn restarted(&mut self, counter: u32, now: Instant) -> bool {
        let silent = self.heard.is_none_or(|at| now.saturating_duration_since(at) >= SILENCE);
        if counter >= FRESH && !silent {
            return false;
        }
        let times = match self.fresh {
            Some((before, _)) if counter <= before => return false,
            Some((_, times)) => times + 1,
            None => 1,
        };
        self.fresh = Some((counter, times));
        times >= BELIEVED_AFTER
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_read_and_never_shown() {
        let key = Key::parse(" 231d39c1d7cc1ab1aee224cd096DB932\n").unwrap();
        assert_eq!(key.0[..2], [0x23, 0x1d]);
        assert_eq!(format!("{key:?}"), "Key(…)");
        for wrong in [
            "",
            "231d39c1d7cc1ab1aee224cd096db93",
            "231d39c1d7cc1ab1aee224cd096db9322",
            "231d39c1d7cc1ab1aee224cd096db93g",
            "+31d39c1d7cc1ab1aee224cd096db932",
        ] {
            assert_eq!(Key::parse(wrong), Err(NoKey), "{wrong}");
        }
    }

    fn after(seconds: u64) -> Instant {
        static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
        *START + Duration::from_secs(seconds)
    }

    #[test]
    fn counters_grow() {
        let (mut counter, now) = (Counter::default(), after(0));
        assert_eq!(counter.take(1000, now), Age::New);
        assert_eq!(counter.take(1000, now), Age::Repeated);
        assert_eq!(counter.take(999, now), Age::Old);
        assert_eq!(counter.take(1001, now), Age::New);
    }

    #[test]
    fn a_new_battery_is_believed_at_the_third_message() {
        let (mut counter, now) = (Counter::default(), after(0));
        counter.take(100_000, now);
        assert_eq!([5, 5, 5, 5].map(|low| counter.take(low, now)), [Age::Old; 4]);
        assert_eq!([6, 7].map(|low| counter.take(low, now)), [Age::Old, Age::New]);
        assert_eq!(counter.take(7, now), Age::Repeated);
        assert_eq!(counter.take(8, now), Age::New);
    }

    #[test]
    fn a_new_battery_whose_beginning_was_not_heard_is_believed_after_a_silence() {
        let told = |silence: u64, low: &[u32]| {
            let mut counter = Counter::default();
            counter.take(100_000, after(0));
            let at = |i: usize| after(silence + i as u64);
            let take = |(i, low): (usize, &u32)| counter.take(*low, at(i));
            low.iter().enumerate().map(take).collect::<Vec<_>>()
        };
        use Age::{New, Old, Repeated};
        let three = [500, 501, 502, 502, 503];
        assert_eq!(told(20 * 60, &three), [Old, Old, New, Repeated, New]);
        assert_eq!(told(60, &three), [Old; 5], "while it lives");
        // One that is sent again and again, and the old one that comes back.
        assert_eq!(told(20 * 60, &[500; 5]), [Old; 5]);
        assert_eq!(told(20 * 60, &[500, 501, 100_001, 502, 503]), [Old, Old, New, Old, Old]);
        assert_eq!(told(20 * 60, &[500, 501, 502, 100_001, 503]), [Old, Old, New, New, Old]);
    }

    proptest! {
        #[test]
        fn nothing_passes_twice_in_a_row(
            counters in proptest::collection::vec((any::<u32>(), 0..2000_u64), 1..40),
        ) {
            let (mut counter, mut at) = (Counter::default(), 0);
            for (value, pause) in counters {
                at += pause;
                counter.take(value, after(at));
                prop_assert_ne!(counter.take(value, after(at)), Age::New);
            }
        }
    }
}
