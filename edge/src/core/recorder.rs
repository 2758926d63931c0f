//! Gives each fact its number and its bytes. It never waits: whether the entry became durable is
//! told later, to whoever asked.

use anju_journal::{Journal, Lane};
use anju_model::{AlertChange, Body, BoxId, Entry, EntryId, Stamp, entry};
use jiff::tz::TimeZone;
use tokio::sync::oneshot;

use super::open_alerts::OpenAlerts;
use super::urgency;

/// Writes entries.
pub struct Recorder {
    journal: Journal,
    box_id: BoxId,
    zone: TimeZone,
    open_alerts: OpenAlerts,
}

impl Recorder {
    /// Writes to `journal` in the name of a box.
    pub const fn new(
        journal: Journal,
        box_id: BoxId,
        zone: TimeZone,
        open_alerts: OpenAlerts,
    ) -> Self {
        Self { journal, box_id, zone, open_alerts }
    }

    /// Takes note of a change of an alert that was recorded before the start.
    pub fn recall(&mut self, change: &AlertChange, bytes: &[u8]) {
        self.open_alerts.note(change, bytes);
    }

    /// Takes over a changed zone.
    pub fn set_zone(&mut self, zone: TimeZone) {
        self.zone = zone;
    }

    /// Records a fact. `None` only if it can not be encoded, which is logged.
    pub fn record(
        &mut self,
        stamp: Stamp,
        body: Body,
        recorded: Option<oneshot::Sender<()>>,
    ) -> Option<Entry> {
        let lane = match body.lane() {
            anju_model::Lane::Alerts => Lane::Alerts,
            anju_model::Lane::Events => Lane::Events,
        };
        let urgency = urgency::of(&body, recorded.is_some());
        let (mut failed, open_alerts) = (None, &mut self.open_alerts);
        let appended = self.journal.append(lane, urgency, |number| {
            let (epoch, seq) = (number.epoch, number.seq);
            let bytes = entry::encode(&self.box_id, epoch, seq, &stamp, &self.zone, &body);
            let bytes = bytes.unwrap_or_else(|error| {
                failed = Some(error);
                Vec::new()
            });
            if let Body::Alert(change) = &body {
                open_alerts.note(change, &bytes);
            }
            bytes
        });
        if let Some(error) = failed {
            tracing::error!(%error, kind = body.event_type(), "an entry could not be encoded");
            return None;
        }
        if let Some(recorded) = recorded {
            let receipt = appended.receipt;
            tokio::spawn(async move {
                if receipt.durable().await.is_ok() {
                    // Who asked may be gone.
                    let _ = recorded.send(());
                }
            });
        }
        let id = EntryId {
            box_id: self.box_id.clone(),
            epoch: appended.number.epoch,
            seq: appended.number.seq,
        };
        Some(Entry { id, stamp, body })
    }
}
