//! The pause before the next try to connect: growing, with jitter, so that thousands of boxes do
//! not come back at once after an outage of their centre. A new alert ends it early: with the
//! network back, it must not wait for a pause that began when there was nothing to say.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use crate::feed::Feed;

/// First pause, and the least before a new alert.
const SHORTEST: Duration = Duration::from_secs(1);

/// Longest pause; jitter at most doubles it.
const LONGEST: Duration = Duration::from_secs(30);

/// Alerts looked at in one go.
const CHUNK: usize = 512;

/// The pauses of one session.
#[derive(Debug)]
pub struct Pauses {
    next: ExponentialBackoff,
    /// The newest alert that ended a pause.
    alert: u64,
}

fn growing() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(SHORTEST)
        .with_max_delay(LONGEST)
        .without_max_times()
        .with_jitter()
        .build()
}

impl Default for Pauses {
    fn default() -> Self {
        Self { next: growing(), alert: 0 }
    }
}

impl Pauses {
    /// The connection was good: the next pause is a short one.
    pub fn reset(&mut self) {
        self.next = growing();
    }

    /// Waits until it is time to try again.
    pub async fn wait(&mut self, alerts: &mut impl Feed) {
        let pause = self.next.next().unwrap_or(LONGEST);
        let newest = &mut self.alert;
        let alert = async {
            tokio::time::sleep(SHORTEST).await;
            loop {
                let last = alerts.next(CHUNK).await.last().map_or(0, |item| item.seq);
                if last > *newest {
                    *newest = last;
                    return;
                }
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = alert => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::time::Instant;

    use super::*;
    use crate::feed::Item;

    /// Alerts raised at those seconds after it was made.
    struct Alerts {
        made: Instant,
        raised: Vec<u64>,
        given: usize,
    }

    impl Feed for Alerts {
        async fn next(&mut self, most: usize) -> Vec<Item> {
            let Some(first) = self.raised.get(self.given) else {
                return std::future::pending().await;
            };
            tokio::time::sleep_until(self.made + Duration::from_secs(*first)).await;
            let since = self.made.elapsed().as_secs();
            let until = self.raised.iter().filter(|at| **at <= since).count();
            let until = until.min(self.given + most);
            let items = self.given..until;
            self.given = until;
            items.map(|n| Item { epoch: 1, seq: n as u64 + 1, body: Bytes::new() }).collect()
        }

        fn acknowledge(&mut self, _: u64) {}

        fn rewind(&mut self) {
            self.given = 0;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_alert_ends_a_long_pause_and_an_old_one_does_not() {
        let mut pauses = Pauses::default();
        let mut alerts = Alerts { made: Instant::now(), raised: vec![0, 500], given: 0 };
        let mut ended = Vec::new();
        while ended.last().is_none_or(|second| *second < 560) {
            alerts.rewind();
            pauses.wait(&mut alerts).await;
            ended.push(alerts.made.elapsed().as_secs());
        }
        assert_eq!(ended.first(), Some(&1), "what waited already is tried soon, once");
        assert!(ended.iter().filter(|second| **second < 500).count() < 30, "{ended:?}");
        assert!(ended.iter().any(|second| (500..=501).contains(second)), "{ended:?}");
    }
}
