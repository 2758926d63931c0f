//! The ways out of the box, started for one configuration: speaker, sirens, channels to contacts.
//! Each takes its work and returns at once; what becomes of it comes back to the core.

use std::sync::Arc;

use anju_drivers::Action as DeviceAction;
use anju_drivers::fleet::Commander;
use anju_model::config::Household;
use anju_model::{AlertId, BoxEvent, DeviceId, DeviceKind};
use anju_respond::life::{Action, Announcement, Clip, Input, Repeat, SirenPattern, Urgency};
use anju_respond::out::siren::{Obeyed, SirenPort, Sirens};
use anju_respond::out::speaker::{Speaker, SpeakerEvent, SpeakerSettings};
use anju_respond::out::{Health, Report, Reports, Ways};
use tokio::sync::{mpsc, oneshot};

use crate::core::Message;

/// The ways out, as the core uses them.
pub struct Outs {
    speaker: Option<Speaker>,
    sirens: Sirens,
    ways: Ways,
}

struct DriverSiren {
    device: DeviceId,
    commander: Commander,
}

impl SirenPort for DriverSiren {
    fn name(&self) -> String {
        self.device.to_string()
    }

    fn sound(&self, _: SirenPattern, seconds: u32) -> Obeyed<'_> {
        let seconds = u16::try_from(seconds).unwrap_or(u16::MAX);
        Box::pin(async move {
            let asked = self.commander.ask(&self.device, DeviceAction::Sound { seconds });
            asked.await.map_err(|refused| refused.to_string())
        })
    }

    fn hush(&self) -> Obeyed<'_> {
        Box::pin(async move {
            let asked = self.commander.ask(&self.device, DeviceAction::Hush);
            asked.await.map_err(|refused| refused.to_string())
        })
    }
}

impl Outs {
    /// Starts the ways out inside a tokio runtime.
    pub fn start(
        household: &Household,
        commander: &Commander,
        reports: &Reports,
        spoken: &mpsc::UnboundedSender<AlertId>,
    ) -> Self {
        let settings = SpeakerSettings::new(&household.speaker, household.language);
        let (health, spoken) = (reports.clone(), spoken.clone());
        let speaker = Speaker::start(settings, move |event| speaker_said(&health, &spoken, event));
        let speaker = match speaker {
            Ok(speaker) => Some(speaker),
            Err(error) => {
                let broken = Some(format!("no thread for the speaker: {error}"));
                let _ = reports.send(Report::Health(Health { part: "speaker".into(), broken }));
                None
            }
        };
        let sirens = household.devices.iter().filter(|device| device.kind == DeviceKind::Siren);
        let ports = sirens.map(|device| {
            let port = DriverSiren { device: device.id.clone(), commander: commander.clone() };
            Arc::new(port) as Arc<dyn SirenPort>
        });
        let sirens = Sirens::start(ports.collect(), reports);
        let ways = Ways::new(Vec::new(), reports.clone());
        Self { speaker, sirens, ways }
    }

    /// Hands an action to its way out. Returns at once.
    pub fn send(&self, action: Action) {
        match action {
            Action::Announce(announcement) => self.say(announcement),
            Action::Quiet { slot } => {
                if let Some(speaker) = &self.speaker {
                    speaker.quiet(&slot);
                }
            }
            Action::Sound { alert, pattern } => self.sirens.sound(alert, pattern),
            Action::Hush => self.sirens.hush(),
            Action::Notify(notice) => self.ways.notify(&notice),
            Action::Withdraw { alert } => self.ways.withdraw(&alert),
            Action::Record(_) | Action::RecordDelivery(_) | Action::RecordBox(_) => {}
        }
    }

    fn say(&self, announcement: Announcement) {
        if let Some(speaker) = &self.speaker {
            speaker.say(announcement);
        }
    }

    /// Says free words once.
    pub fn speak(&self, text: String) {
        self.say(Announcement {
            slot: "spoken".into(),
            alert: None,
            urgency: Urgency::Action,
            repeat: Repeat::Once,
            clips: vec![Clip::Words(text)],
        });
    }
}

// Nobody listens to either any more only while the box stops.
fn speaker_said(reports: &Reports, spoken: &mpsc::UnboundedSender<AlertId>, event: SpeakerEvent) {
    match event {
        SpeakerEvent::Started { alert: Some(alert), .. } => {
            let _ = spoken.send(alert);
        }
        SpeakerEvent::Started { alert: None, .. } | SpeakerEvent::Finished { .. } => {}
        SpeakerEvent::Health(broken) => {
            let _ = reports.send(Report::Health(Health { part: "speaker".into(), broken }));
        }
    }
}

/// Passes what the ways out report on to the core.
pub async fn pass_reports(
    mut reports: mpsc::UnboundedReceiver<Report>,
    mut spoken: mpsc::UnboundedReceiver<AlertId>,
    messages: mpsc::Sender<Message>,
) {
    loop {
        let report = tokio::select! {
            Some(alert) = spoken.recv() => {
                let said = Input::Announced { alert, by: "speaker".into() };
                if messages.send(Message::Tell(said)).await.is_err() {
                    return;
                }
                continue;
            }
            Some(report) = reports.recv() => report,
            else => return,
        };
        let message = match report {
            Report::Delivery(delivery) => Message::Tell(Input::Delivered(delivery)),
            Report::Request(request) => {
                // The answer is for the channel's human, who sees the alert's next step.
                let (answer, _) = oneshot::channel();
                Message::Request { request, answer }
            }
            Report::Sounding { alert } => {
                Message::Tell(Input::Announced { alert, by: "siren".into() })
            }
            Report::Health(health) => Message::Box(BoxEvent::Fault {
                part: format!("channel:{}", health.part),
                active: health.broken.is_some(),
                reason: health.broken.unwrap_or_else(|| "it works again".into()),
            }),
        };
        if messages.send(message).await.is_err() {
            return;
        }
    }
}
