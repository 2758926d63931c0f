//! Settings of the ways to contacts. Secrets are never here: only the files that hold them.

use std::path::PathBuf;

/// The channels that are set up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Channels {
    /// Push messages by ntfy.
    pub ntfy: Option<Ntfy>,
}

/// An ntfy server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ntfy {
    /// Base URL, `https://…` or `http://…`, without a slash at the end.
    pub url: String,
    /// File that holds the access token.
    pub token_file: Option<PathBuf>,
    /// Whether push texts may carry names and rooms; they leave the home in the clear at the
    /// server. Default false.
    pub details: bool,
}
