//! How the modem is, as people and the other parts of the box see it.

use std::fmt;

/// The modem now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Why no text can leave now; `None` while the modem is registered.
    pub trouble: Option<Trouble>,
    /// Maker and model.
    pub model: Option<String>,
    /// The SIM card's own number (ICCID, ITU-T E.118).
    pub sim: Option<String>,
    /// Signal, per cent, as the modem reports it.
    pub signal_percent: Option<u32>,
    /// The network's name.
    pub operator: Option<String>,
    /// The radio technology in use, such as `lte`.
    pub technology: Option<&'static str>,
    /// Where it stands with the network.
    pub registration: Registration,
    /// A data connection stands.
    pub data: bool,
}

/// Where the modem stands with the network (3GPP TS 27.007 clause 10.1.20, as ModemManager names
/// it).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Registration {
    /// Not registered and not looking.
    Idle,
    /// Registered at home.
    Home,
    /// Looking for a network.
    Searching,
    /// The network refuses this SIM.
    Denied,
    /// Not known.
    #[default]
    Unknown,
    /// Registered elsewhere.
    Roaming,
    /// Registered at home, text messages only.
    HomeSmsOnly,
    /// Registered elsewhere, text messages only.
    RoamingSmsOnly,
}

impl Registration {
    /// `MMModem3gppRegistrationState`.
    pub(crate) const fn from_number(number: u32) -> Self {
        match number {
            0 => Self::Idle,
            1 => Self::Home,
            2 => Self::Searching,
            3 => Self::Denied,
            5 => Self::Roaming,
            6 => Self::HomeSmsOnly,
            7 => Self::RoamingSmsOnly,
            _ => Self::Unknown,
        }
    }

    /// Whether text messages can leave.
    pub const fn is_registered(self) -> bool {
        matches!(self, Self::Home | Self::Roaming | Self::HomeSmsOnly | Self::RoamingSmsOnly)
    }
}

/// What is wrong with the SIM card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sim {
    /// There is none, or it is not seated.
    Missing,
    /// It wants its PIN.
    WantsPin,
    /// It is blocked and wants its PUK.
    WantsPuk,
    /// Another lock, such as one to a network.
    Locked,
    /// It does not work.
    Broken,
}

/// Why no text can leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// ModemManager can not be reached.
    NoService(String),
    /// There is no modem.
    NoModem,
    /// The SIM card.
    Sim(Sim),
    /// The modem failed.
    Failed(String),
    /// It is not registered.
    NotRegistered(Registration),
}

impl Trouble {
    /// Whether turning the modem off and on may help. A missing SIM or a refusing network is for a
    /// human to mend.
    pub const fn may_recover(&self) -> bool {
        match self {
            Self::NoService(_) | Self::Sim(_) => false,
            Self::NotRegistered(registration) => !matches!(registration, Registration::Denied),
            Self::NoModem | Self::Failed(_) => true,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoService(reason) => {
                write!(f, "ModemManager can not be reached ({reason}); install or start it")
            }
            Self::NoModem => f.write_str("no modem is found; check its plug and power"),
            Self::Sim(Sim::Missing) => f.write_str("no SIM card; put one in"),
            Self::Sim(Sim::WantsPin) => {
                f.write_str("the SIM card wants its PIN; turn the PIN off with a telephone")
            }
            Self::Sim(Sim::WantsPuk) => {
                f.write_str("the SIM card is blocked; unblock it with its PUK in a telephone")
            }
            Self::Sim(Sim::Locked) => {
                f.write_str("the SIM card is locked to something else; use another")
            }
            Self::Sim(Sim::Broken) => f.write_str("the SIM card does not work; use another"),
            Self::Failed(reason) => write!(f, "the modem failed: {reason}"),
            Self::NotRegistered(Registration::Denied) => {
                f.write_str("the network refuses this SIM card; ask whether its contract runs")
            }
            Self::NotRegistered(_) => {
                f.write_str("the modem finds no network; check the antenna and the reception")
            }
        }
    }
}

/// The names of `MMModemAccessTechnology`, the newest first.
pub(crate) fn technology(bits: u32) -> Option<&'static str> {
    const NAMES: [(u32, &str); 8] = [
        (1 << 15, "5g"),
        (1 << 14, "lte"),
        (1 << 9, "hspa+"),
        (1 << 8, "hspa"),
        (1 << 5, "umts"),
        (1 << 4, "edge"),
        (1 << 3, "gprs"),
        (1 << 1, "gsm"),
    ];
    NAMES.into_iter().find(|(bit, _)| bits & bit != 0).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_registered_modem_sends() {
        for number in 0..12 {
            let registered = Registration::from_number(number).is_registered();
            assert_eq!(registered, matches!(number, 1 | 5 | 6 | 7), "{number}");
        }
    }

    #[test]
    fn the_newest_technology_is_named() {
        assert_eq!(technology(1 << 14 | 1 << 5), Some("lte"));
        assert_eq!(technology(0), None);
    }

    #[test]
    fn a_ladder_is_not_for_what_a_human_must_mend() {
        assert!(!Trouble::Sim(Sim::Missing).may_recover());
        assert!(!Trouble::NotRegistered(Registration::Denied).may_recover());
        assert!(Trouble::NotRegistered(Registration::Searching).may_recover());
        assert!(Trouble::NoModem.may_recover());
    }
}
