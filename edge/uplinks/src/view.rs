//! How the links are, as people and the other parts of the box see it.

use crate::choice::Kind;

/// The links now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Why the links are not managed; `None` while they are.
    pub unmanaged: Option<String>,
    /// Those that stand, by their interface.
    pub links: Vec<LinkView>,
    /// Whether any reaches anything; `None` while that is not known.
    pub up: Option<bool>,
    /// Why something that was wanted of NetworkManager can not be had.
    pub trouble: Option<String>,
}

/// One link that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkView {
    /// Its interface.
    pub interface: String,
    /// What it is.
    pub kind: Kind,
    /// Whether anything answers over it; `None` while that is not known.
    pub reaches: Option<bool>,
    /// Why not.
    pub reason: Option<String>,
    /// What leaves goes by it.
    pub preferred: bool,
}
