//! The ways out of the box: speaker, sirens, channels to contacts. Each takes its work and returns
//! at once; what becomes of it comes back to the core. They outlive a change of the configuration:
//! nothing that is being said, sounded or sent may be lost by it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anju_drivers::Action as DeviceAction;
use anju_drivers::fleet::Commander;
use anju_model::config::{Announcer, Binding, ChannelKind, Household, Satellite, Says};
use anju_model::{AlertId, BoxEvent, Delivery, DeviceId, DeviceKind};
use anju_respond::life::{self, Action, Announcement, Clip, Input, Repeat, SirenPattern, Urgency};
use anju_respond::out::lights::{LightPort, Lights};
use anju_respond::out::siren::{Obeyed, SirenPort, Sirens};
use anju_respond::out::speaker::{Speaker, SpeakerEvent, SpeakerSettings, VoiceSettings, Voices};
use anju_respond::out::{Health, ModemNews, Report, Reports, Ways};
use anju_respond::texts::Texts;
use anju_upstream::CertificateClock;
use tokio::sync::mpsc;

use crate::acceptance::SIREN_SECONDS;
use crate::core::Message;
use crate::recordings;
use crate::rescue::Rescue;

/// Where the ways out tell what became of their work.
#[derive(Clone)]
pub struct Told {
    /// Of messages, sirens and the ways themselves.
    pub reports: Reports,
    /// Alerts that a speaker began to announce, and which.
    pub spoken: mpsc::UnboundedSender<(AlertId, String)>,
    /// Whether a siren obeyed its acceptance.
    pub messages: mpsc::Sender<Message>,
}

/// The ways out, as the core uses them.
pub struct Outs {
    /// Folder of the family's recordings.
    recordings: PathBuf,
    voice: Option<(VoiceSettings, Voices)>,
    speaker: Option<(SpeakerSettings, Speaker)>,
    satellites: Vec<(Satellite, Speaker)>,
    sirens: Sirens,
    sounding: Option<(AlertId, SirenPattern)>,
    announcers: BTreeMap<DeviceId, Announcer>,
    lights: Lights,
    shown: life::Lights,
    ways: Ways,
    texts: Arc<Texts>,
    commander: Commander,
    told: Told,
}

struct DriverLight {
    device: DeviceId,
    with: Announcer,
    commander: Commander,
}

impl DriverLight {
    fn ask(&self, action: DeviceAction) -> Obeyed<'_> {
        Box::pin(async move {
            let asked = self.commander.ask(&self.device, action);
            asked.await.map_err(|refused| refused.to_string())
        })
    }
}

impl LightPort for DriverLight {
    fn name(&self) -> String {
        self.device.to_string()
    }

    fn flash(&self, time: Duration) -> Obeyed<'_> {
        let seconds = u16::try_from(time.as_secs()).unwrap_or(u16::MAX);
        self.ask(DeviceAction::Flash { seconds, with: self.with })
    }

    fn hold(&self) -> Obeyed<'_> {
        self.ask(DeviceAction::Hold)
    }

    fn put_back(&self) -> Obeyed<'_> {
        self.ask(DeviceAction::Hush)
    }

    fn sparks(&self) -> bool {
        self.with == Announcer::Light
    }
}

struct DriverSiren {
    device: DeviceId,
    /// A relay of ours switches it.
    relay: bool,
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

    fn sparks(&self) -> bool {
        self.relay
    }

    fn hush(&self) -> Obeyed<'_> {
        Box::pin(async move {
            let asked = self.commander.ask(&self.device, DeviceAction::Hush);
            asked.await.map_err(|refused| refused.to_string())
        })
    }
}

impl Outs {
    /// Starts the ways out inside a tokio runtime; what channels keep lies in the data folder, and
    /// their servers' certificates are judged by that clock.
    pub fn start(
        household: &Household,
        data: &Path,
        commander: &Commander,
        clock: CertificateClock,
        told: Told,
    ) -> Self {
        let mut outs = Self {
            recordings: recordings::folder(data),
            voice: None,
            speaker: None,
            satellites: Vec::new(),
            sirens: Sirens::start(Vec::new(), &told.reports),
            sounding: None,
            announcers: BTreeMap::new(),
            lights: Lights::start(Vec::new(), &told.reports),
            shown: life::Lights::default(),
            ways: Ways::new(data, &told.reports, Arc::new(clock)),
            texts: Arc::new(Texts::new(household.language)),
            commander: commander.clone(),
            told,
        };
        outs.configure(household, commander);
        outs
    }

    /// Takes a new configuration, whose drivers were started. What is said, sounded and sent goes on.
    pub fn configure(&mut self, household: &Household, commander: &Commander) {
        self.commander = commander.clone();
        self.configure_speakers(household);
        let sirens = || household.devices.iter().filter(|device| device.kind == DeviceKind::Siren);
        let announcers = sirens().filter_map(|device| Some((device.id.clone(), device.announces?)));
        self.announcers = announcers.collect();
        let lights = self.announcers.iter().map(|(device, with)| {
            let (device, with, commander) = (device.clone(), *with, commander.clone());
            Arc::new(DriverLight { device, with, commander }) as Arc<dyn LightPort>
        });
        self.lights = Lights::start(lights.collect(), &self.told.reports);
        self.lights.show(self.shown.clone());
        let ports = sirens().filter(|device| device.announces.is_none()).map(|device| {
            let port = DriverSiren {
                device: device.id.clone(),
                relay: matches!(device.binding, Binding::Gpio(_)),
                commander: commander.clone(),
            };
            Arc::new(port) as Arc<dyn SirenPort>
        });
        self.sirens = Sirens::start(ports.collect(), &self.told.reports);
        if let Some((alert, pattern)) = self.sounding.clone() {
            self.sirens.sound(alert, pattern);
        }
        if self.texts.language() != household.language {
            self.texts = Arc::new(Texts::new(household.language));
        }
        self.ways.configure(household, &self.texts);
    }

    /// The sentences in the household's language: one copy for all who write.
    pub fn texts(&self) -> Arc<Texts> {
        self.texts.clone()
    }

    /// A speaker whose settings are the same goes on with what it says.
    fn configure_speakers(&mut self, household: &Household) {
        let settings = VoiceSettings::new(household, &self.recordings);
        let voices = match self.voice.take() {
            Some((now, voices)) if now == settings => {
                self.voice = Some((now, voices.clone()));
                voices
            }
            before => self.begin_voice(settings, before.as_ref().map(|(_, voices)| voices)),
        };
        let settings = SpeakerSettings::local(&household.speaker);
        if self.speaker.as_ref().map(|(now, _)| now) != Some(&settings) {
            let speaker = self.start_speaker("speaker".to_owned(), &settings, &voices);
            self.speaker = speaker.map(|speaker| (settings, speaker));
        }
        let mut before = std::mem::take(&mut self.satellites);
        for satellite in &household.speaker.satellites {
            let same = before.iter().position(|(now, _)| now == satellite);
            let speaker = match same {
                Some(at) => Some(before.swap_remove(at).1),
                None => {
                    let settings = SpeakerSettings::satellite(satellite);
                    self.start_speaker(satellite_name(satellite), &settings, &voices)
                }
            };
            self.satellites.extend(speaker.map(|speaker| (satellite.clone(), speaker)));
        }
        // One that is no more is no fault either.
        for (gone, _) in before.iter().filter(|(_, speaker)| speaker.is_broken()) {
            let health = Health { part: satellite_name(gone), broken: None };
            let _ = self.told.reports.send(Report::Health(health));
        }
    }

    /// Reads the recordings anew: some were made or removed.
    pub fn read_recordings(&mut self) {
        if let Some((settings, voices)) = self.voice.take() {
            self.begin_voice(settings, Some(&voices));
        }
    }

    fn begin_voice(&mut self, settings: VoiceSettings, before: Option<&Voices>) -> Voices {
        let voices = Voices::new(&settings, before);
        self.speakers().for_each(|speaker| speaker.take_voices(voices.clone()));
        self.voice = Some((settings, voices.clone()));
        voices
    }

    fn start_speaker(
        &self,
        part: String,
        settings: &SpeakerSettings,
        voices: &Voices,
    ) -> Option<Speaker> {
        let (told, name) = (self.told.clone(), part.clone());
        let tell = move |event| speaker_said(&told, &name, event);
        match Speaker::start(settings.clone(), voices.clone(), tell) {
            Ok(speaker) => Some(speaker),
            Err(error) => {
                let broken = Some(format!("no thread for the speaker: {error}"));
                let health = Report::Health(Health { part, broken });
                let _ = self.told.reports.send(health);
                None
            }
        }
    }

    /// Looks whether each speaker still can be heard, and begins those anew whose thread ended. To be
    /// called several times a minute.
    pub fn look(&mut self) {
        let Some((_, voices)) = self.voice.clone() else { return };
        let dead = |speaker: &Speaker| !speaker.look();
        if let Some((settings, _)) = self.speaker.take_if(|(_, speaker)| dead(speaker)) {
            let speaker = self.start_again("speaker".to_owned(), &settings, &voices);
            self.speaker = speaker.map(|speaker| (settings, speaker));
        }
        for (satellite, _) in self.satellites.extract_if(.., |(_, s)| dead(s)).collect::<Vec<_>>() {
            let settings = SpeakerSettings::satellite(&satellite);
            let speaker = self.start_again(satellite_name(&satellite), &settings, &voices);
            self.satellites.extend(speaker.map(|speaker| (satellite, speaker)));
        }
    }

    fn start_again(
        &self,
        part: String,
        settings: &SpeakerSettings,
        voices: &Voices,
    ) -> Option<Speaker> {
        let health = |broken: Option<&str>| {
            let health = Health { part: part.clone(), broken: broken.map(str::to_owned) };
            // Nobody listens any more only while the box stops.
            let _ = self.told.reports.send(Report::Health(health));
        };
        health(Some("its thread ended; it was begun anew"));
        let speaker = self.start_speaker(part.clone(), settings, voices)?;
        health(None);
        Some(speaker)
    }

    /// The box's own speaker and those in other rooms.
    fn speakers(&self) -> impl Iterator<Item = &Speaker> {
        let own = self.speaker.iter().map(|(_, speaker)| speaker);
        own.chain(self.satellites.iter().map(|(_, speaker)| speaker))
    }

    /// Ends the channels; speaker and sirens end by themselves.
    pub async fn stop(self) {
        self.ways.stop().await;
    }

    /// Hands an action to its way out. Returns at once.
    pub fn send(&mut self, action: Action) {
        match action {
            Action::Announce(announcement) => self.say(announcement),
            Action::Quiet { slot } => self.speakers().for_each(|speaker| speaker.quiet(&slot)),
            Action::Sound { alert, pattern } => {
                self.sounding = Some((alert.clone(), pattern));
                self.sirens.sound(alert, pattern);
            }
            Action::Hush => {
                self.sounding = None;
                self.sirens.hush();
            }
            Action::Lights(wanted) => {
                self.shown = wanted.clone();
                self.lights.show(wanted);
            }
            Action::Notify(notice) => self.ways.notify(&notice),
            Action::Withdraw { alert } => self.ways.withdraw(&alert),
            Action::Record(_) | Action::RecordDelivery(_) | Action::RecordBox(_) => {}
        }
    }

    /// Lets one siren sound, or light blink, shortly for its acceptance; whether it obeyed comes back to the core.
    pub fn try_siren(&self, device: DeviceId) {
        let (commander, messages) = (self.commander.clone(), self.told.messages.clone());
        let announces = self.announcers.get(&device).copied();
        tokio::spawn(async move {
            let sound = match announces {
                None => DeviceAction::Sound { seconds: SIREN_SECONDS },
                Some(with) => DeviceAction::Flash { seconds: SIREN_SECONDS, with },
            };
            let obeyed = commander.ask(&device, sound).await.is_ok();
            // The box may be stopping.
            let _ = messages.send(Message::Obeyed { device, obeyed }).await;
        });
    }

    /// Lets one device tell its next reading for its acceptance. One that can not, tells what is
    /// news, and the acceptance waits for that.
    pub fn tell_anew(&self, device: DeviceId) {
        let commander = self.commander.clone();
        tokio::spawn(async move {
            if let Err(refused) = commander.ask(&device, DeviceAction::TellAnew).await {
                tracing::debug!(%refused, "tells only what is news");
            }
        });
    }

    /// The centre tells what became of a message that it was to pass on. Whether it was waited for,
    /// and is reported by who waited.
    pub fn told_by_centre(&self, delivery: &Delivery) -> bool {
        self.ways.told_by_centre(delivery)
    }

    /// Somebody acted on an alert through the centre.
    pub fn acted_through_centre(&self, alert: &AlertId) {
        self.ways.acted_through_centre(alert);
    }

    /// Makes sure of a way; what came of it comes back to the core.
    pub fn prove(&self, kind: ChannelKind) {
        self.ways.prove(kind);
    }

    fn say(&self, announcement: Announcement) {
        for (satellite, speaker) in &self.satellites {
            if satellite.says == Says::All || announcement.urgency == Urgency::Critical {
                speaker.say(announcement.clone());
            } else {
                // What it said in that slot before is over all the same.
                speaker.quiet(&announcement.slot);
            }
        }
        if let Some((_, speaker)) = &self.speaker {
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

fn satellite_name(satellite: &Satellite) -> String {
    format!("satellite-{}", satellite.id)
}

// Nobody listens to either any more only while the box stops.
fn speaker_said(told: &Told, part: &str, event: SpeakerEvent) {
    match event {
        SpeakerEvent::Started { alert: Some(alert), .. } => {
            let _ = told.spoken.send((alert, part.to_owned()));
        }
        SpeakerEvent::Started { alert: None, .. } | SpeakerEvent::Finished { .. } => {}
        SpeakerEvent::Health(broken) => {
            let health = Report::Health(Health { part: part.to_owned(), broken });
            let _ = told.reports.send(health);
        }
    }
}

/// Passes what the ways out report on to the core.
pub async fn pass_reports(
    mut reports: mpsc::UnboundedReceiver<Report>,
    mut spoken: mpsc::UnboundedReceiver<(AlertId, String)>,
    rescue: Rescue,
    messages: mpsc::Sender<Message>,
) {
    loop {
        let message = tokio::select! {
            Some((alert, by)) = spoken.recv() => Message::Tell(Input::Announced { alert, by }),
            Some(report) = reports.recv() => {
                if let Report::Modem(ModemNews { rung: Some(rung), .. }) = &report {
                    rescue.climb(*rung);
                }
                message(report)
            }
            else => return,
        };
        if messages.send(message).await.is_err() {
            return;
        }
    }
}

fn message(report: Report) -> Message {
    match report {
        Report::Delivery(delivery) => Message::Tell(Input::Delivered(delivery)),
        Report::Accounted { delivery, recorded } => {
            Message::Account { input: Input::Delivered(delivery), recorded }
        }
        Report::Answer { contact, answer, sent, fresh, via, recorded } => {
            let input = Input::Answered { contact, answer, sent, fresh, via };
            Message::Account { input, recorded }
        }
        Report::Request { request, answer } => Message::Request { request, answer },
        Report::Proof { kind, proof } => Message::Proof { kind, proof },
        Report::Sounding { alert, by } => Message::Tell(Input::Announced { alert, by }),
        Report::Health(health) => Message::Box(BoxEvent::Fault {
            part: format!("channel:{}", health.part),
            active: health.broken.is_some(),
            reason: health.broken.unwrap_or_else(|| "it works again".into()),
        }),
        Report::Modem(ModemNews { view, rung }) => Message::Box(BoxEvent::Modem {
            trouble: view.trouble.map(|trouble| trouble.to_string()),
            sim: view.sim,
            operator: view.operator,
            technology: view.technology.map(str::to_owned),
            signal_percent: view.signal_percent.map(u64::from),
            done: rung.map(|rung| rung.as_str().to_owned()),
        }),
    }
}
