//! What a lane is drawn from: entries in order, again from the first unacknowledged one whenever
//! asked. It must never lose its place because a connection was lost.

use std::future::Future;

use bytes::Bytes;

/// One entry on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The epoch of its number.
    pub epoch: u64,
    /// The entry's number within its epoch; rises, over epochs too.
    pub seq: u64,
    /// The entry's body, as it goes out.
    pub body: Bytes,
}

/// A lane's entries.
pub trait Feed: Send + 'static {
    /// Waits until there is more, then gives at most `most` entries after the last one given.
    /// Cancelling the wait loses nothing.
    fn next(&mut self, most: usize) -> impl Future<Output = Vec<Item>> + Send;

    /// The broker has everything up to and including `seq`.
    fn acknowledge(&mut self, seq: u64);

    /// Goes back to the first entry that is not acknowledged.
    fn rewind(&mut self);
}
