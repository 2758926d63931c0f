//! The life of one connection: subscribe, hear, merge, report, acknowledge once recorded, obey
//! commands. It must never acknowledge what is not recorded, and never wait for the record before
//! it hears the next message.

use std::collections::VecDeque;
use std::time::Duration;

use anju_model::config::MqttLink;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Known;
use super::client::{Ack, Client, Event, Message};
use super::merge::Merge;
use super::zigbee2mqtt::{Dialect, Heard};
use crate::driver::{Action, Context, DeviceCommand, DriverError, Refused};

/// Most messages whose acknowledgement waits for the record.
const MOST_UNACKNOWLEDGED: usize = 1024;

/// An acknowledgement and the records it waits for, in the order of arrival (MQTT 5, 4.6).
struct Owed {
    ack: Option<Ack>,
    records: Vec<oneshot::Receiver<()>>,
}

struct Session<'a> {
    name: &'a str,
    dialect: Dialect,
    merge: Merge,
    owed: VecDeque<Owed>,
    client: Client,
}

/// Runs until told to stop or the connection is lost.
///
/// # Errors
/// [`DriverError::Link`] when the connection could not be made or was lost.
pub async fn run(
    name: &str,
    client_id: &str,
    link: &MqttLink,
    devices: &[Known],
    mut context: Context,
) -> Result<(), DriverError> {
    let client = Client::new(client_id, link)?;
    let dialect = Dialect::new(&link.base_topic, devices);
    let mut session =
        Session { name, dialect, merge: Merge::default(), owed: VecDeque::new(), client };
    let lost =
        |reason| DriverError::Link { link: format!("broker {}:{}", link.host, link.port), reason };
    loop {
        let next_due = session.merge.next_due();
        let window = async {
            match next_due {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let hear = session.owed.len() < MOST_UNACKNOWLEDGED;
        tokio::select! {
            biased;
            () = context.stop.cancelled() => return Ok(()),
            () = recorded(&mut session.owed) => session.acknowledge(),
            Some(command) = context.commands.recv() => session.obey(command),
            () = window => session.end_windows(&context).await?,
            event = session.client.next(), if hear => match event.map_err(lost)? {
                Event::Connected => session.subscribe().map_err(lost)?,
                Event::Message(message) => session.hear(message, &context).await?,
            },
        }
    }
}

/// Waits until the oldest message is recorded, or known never to be.
async fn recorded(owed: &mut VecDeque<Owed>) {
    let Some(first) = owed.front_mut() else { return std::future::pending().await };
    while let Some(record) = first.records.last_mut() {
        // An error means that it can not be recorded now. The alarm was raised all the same, and
        // the broker repeating it for ever would help nobody.
        let _ = record.await;
        first.records.pop();
    }
}

impl Session<'_> {
    fn subscribe(&mut self) -> Result<(), String> {
        tracing::info!(driver = self.name, "connected to the broker");
        self.dialect.connected();
        for filter in self.dialect.filters() {
            self.client.subscribe(&filter)?;
        }
        Ok(())
    }

    async fn hear(&mut self, message: Message, context: &Context) -> Result<(), DriverError> {
        let now = Instant::now();
        let passes = if message.retain {
            true
        } else {
            let (passes, before) = self.merge.take(now, &message.topic, &message.payload);
            if let Some(held) = before {
                let heard = Heard { retain: false, count: held.count, at: now };
                self.report(&held.topic, &held.payload, heard, None, context).await?;
            }
            passes
        };
        if passes {
            let heard = Heard { retain: message.retain, count: 1, at: now };
            self.report(&message.topic, &message.payload, heard, message.ack, context).await
        } else {
            // A repeat is owed its acknowledgement in its turn.
            self.owed.push_back(Owed { ack: message.ack, records: Vec::new() });
            Ok(())
        }
    }

    async fn report(
        &mut self,
        topic: &[u8],
        payload: &[u8],
        heard: Heard,
        ack: Option<Ack>,
        context: &Context,
    ) -> Result<(), DriverError> {
        let said = match self.dialect.understand(topic, payload, heard) {
            Ok(said) => said,
            Err(error) => {
                self.dialect.complain(self.name, topic, &error, heard.at);
                Vec::new()
            }
        };
        let mut records = Vec::new();
        for observation in said {
            if ack.is_some() {
                records.push(context.report_recorded(observation).await?);
            } else {
                context.report(observation).await?;
            }
        }
        if ack.is_some() {
            self.owed.push_back(Owed { ack, records });
        }
        Ok(())
    }

    async fn end_windows(&mut self, context: &Context) -> Result<(), DriverError> {
        let now = Instant::now();
        for held in self.merge.due(now) {
            let heard = Heard { retain: false, count: held.count, at: now };
            self.report(&held.topic, &held.payload, heard, None, context).await?;
        }
        Ok(())
    }

    fn acknowledge(&mut self) {
        while let Some(first) = self.owed.front_mut() {
            if !first.records.is_empty() {
                return;
            }
            if let Some(ack) = first.ack.take()
                && let Err(still_owed) = self.client.acknowledge(ack)
            {
                first.ack = Some(still_owed);
                // The queue to the broker drains only while the connection is polled; a resolved
                // record makes this run again right after.
                let (retry, record) = oneshot::channel();
                first.records.push(record);
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    let _ = retry.send(());
                });
                return;
            }
            self.owed.pop_front();
        }
    }

    fn obey(&mut self, command: DeviceCommand) {
        let DeviceCommand { device, action, done } = command;
        let message = match action {
            Action::Sound { seconds } => self.dialect.sound(&device, Some(seconds)),
            Action::Hush => self.dialect.sound(&device, None),
        };
        let result = match message {
            None => Err(Refused::NotAble(device)),
            Some((topic, payload)) => self
                .client
                .publish(topic, payload)
                .map_err(|reason| Refused::Failed { device, reason }),
        };
        // The asker may have stopped waiting.
        let _ = done.send(result);
    }
}
