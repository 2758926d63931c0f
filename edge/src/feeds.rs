//! The journal's followers as what upstream draws from.

use anju_journal::Follower;
use anju_upstream::feed::{Feed, Item};

/// A follower that upstream draws from.
pub struct JournalFeed(pub Follower);

impl Feed for JournalFeed {
    async fn next(&mut self, most: usize) -> Vec<Item> {
        let records = self.0.next(most).await;
        let item = |r: anju_journal::Record| Item {
            epoch: r.number.epoch,
            seq: r.number.seq,
            body: r.body,
        };
        records.into_iter().map(item).collect()
    }

    fn acknowledge(&mut self, seq: u64) {
        self.0.ack(seq);
    }

    fn rewind(&mut self) {
        self.0.rewind_to_cursor();
    }
}
