//! The keys of devices that encrypt their adverts, AES-128-CCM with a tag of 4 bytes, and the
//! memory of their counters. Keys must never be shown, and an old message sent again never count.

use std::fmt;

use aes::Aes128;
use ccm::Ccm;
use ccm::aead::{AeadInOut, KeyInit};
use ccm::consts::{U4, U12, U13};
use thiserror::Error;

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
/// a help button would be mute for months, so that three low counters in a row that grow are
/// believed; frightened people press again. One recorded message sent again never passes.
#[derive(Debug, Clone, Default)]
pub struct Counter {
    last: Option<u32>,
    fresh: Option<(u32, u8)>,
}

impl Counter {
    /// Takes the counter of an authentic message.
    pub fn take(&mut self, counter: u32) -> Age {
        if self.last == Some(counter) {
            return Age::Repeated;
        }
        if self.last.is_some_and(|last| counter < last) && !self.restarted(counter) {
            return Age::Old;
        }
        self.last = Some(counter);
        self.fresh = None;
        Age::New
    }

    fn restarted(&mut self, counter: u32) -> bool {
        if counter >= FRESH {
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

    #[test]
    fn counters_grow() {
        let mut counter = Counter::default();
        assert_eq!(counter.take(1000), Age::New);
        assert_eq!(counter.take(1000), Age::Repeated);
        assert_eq!(counter.take(999), Age::Old);
        assert_eq!(counter.take(1001), Age::New);
    }

    #[test]
    fn a_new_battery_is_believed_at_the_third_message() {
        let mut counter = Counter::default();
        counter.take(100_000);
        assert_eq!([5, 5, 5, 5].map(|low| counter.take(low)), [Age::Old; 4]);
        assert_eq!([6, 7].map(|low| counter.take(low)), [Age::Old, Age::New]);
        assert_eq!(counter.take(7), Age::Repeated);
        assert_eq!(counter.take(8), Age::New);
    }

    proptest! {
        #[test]
        fn nothing_passes_twice_in_a_row(counters in proptest::collection::vec(any::<u32>(), 1..40)) {
            let mut counter = Counter::default();
            for value in counters {
                counter.take(value);
                prop_assert_ne!(counter.take(value), Age::New);
            }
        }
    }
}
