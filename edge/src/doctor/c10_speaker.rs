//! The speakers: the system has a sound card, or a folder for WAV files stands in for it; those in
//! other rooms answer.

use std::path::Path;
use std::sync::Arc;

use anju_model::config::{Satellite, Speaker, VoiceService};
use anju_respond::out::speaker::pack::{Pack, Unfit};
use anju_respond::out::speaker::satellite;
use anju_respond::out::speaker::tts::{self, TtsSettings};
use anju_respond::prompts::PromptId;

use super::{Case, Finding, ok, problem};
use crate::recordings;

pub(super) async fn check(case: Arc<Case>) -> Vec<Finding> {
    let speaker = case.household.as_ref().map(|home| home.speaker.clone()).unwrap_or_default();
    let mut found = card(&speaker);
    let recorded = recordings::folder(&case.data);
    for folder in speaker.pack.into_iter().chain(recorded.is_dir().then_some(recorded)) {
        let read = tokio::task::spawn_blocking(move || voices(&folder)).await;
        found.extend(read.unwrap_or_default());
    }
    if let Some(service) = speaker.tts {
        found.extend(tokio::task::spawn_blocking(move || speaks(&service)).await);
    }
    let satellites: Vec<_> = speaker
        .satellites
        .into_iter()
        .map(|satellite| tokio::task::spawn_blocking(move || answers(&satellite)))
        .collect();
    for satellite in satellites {
        found.extend(satellite.await);
    }
    found
}

/// Whether the voice service says a word.
fn speaks(service: &VoiceService) -> Finding {
    let at = format!("{}:{}", service.host, service.port);
    let (host, port, voice) = (service.host.clone(), service.port, service.voice.clone());
    match tts::synthesise(&TtsSettings { host, port, voice }, "1") {
        Ok(_) => ok("voice service", format!("{at} speaks")),
        Err(error) => {
            let mend = "check `tts` and `tts_voice` in [speaker]; names are left out meanwhile";
            problem("voice service", format!("{at}: {error}"), mend)
        }
    }
}

fn answers(satellite: &Satellite) -> Finding {
    let about = format!("satellite {}", satellite.id);
    match satellite::probe(&satellite.host, satellite.port) {
        Ok(()) => ok(about, format!("{}:{} answers", satellite.host, satellite.port)),
        Err(why) => {
            let mend = "check its power, its network and `url` in [[speaker.satellite]]";
            problem(about, why, mend)
        }
    }
}

/// The recordings that go before the prompts.
fn voices(folder: &Path) -> Vec<Finding> {
    let (pack, unfit) = Pack::read(folder);
    let missing = pack.missing().count();
    let what = format!(
        "{} recordings in {}; {missing} of {} prompts are built-in",
        pack.len(),
        folder.display(),
        PromptId::ALL.len()
    );
    let mut found = vec![ok("voices", what)];
    let mend = "record it again as Ogg Vorbis or WAV with one channel, or remove the file";
    found.extend(
        unfit
            .into_iter()
            .map(|Unfit { file, why }| problem("voices", format!("{file}: {why}"), mend)),
    );
    found
}

fn card(speaker: &Speaker) -> Vec<Finding> {
    let cards = std::fs::read_to_string("/proc/asound/cards").unwrap_or_default();
    let named: Vec<&str> = cards
        .lines()
        .filter(|line| line.trim_start().starts_with(|c: char| c.is_ascii_digit()))
        .map(str::trim)
        .collect();
    let playback = std::fs::read_to_string("/proc/asound/pcm").unwrap_or_default();
    if playback.lines().any(|line| line.contains("playback")) {
        let device = speaker.device.as_deref().unwrap_or("default");
        return vec![ok("", format!("{}; `{device}` is used", named.join(", ")))];
    }
    match &speaker.wav_dir {
        Some(folder) if rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok() => {
            let what = format!("no sound card: speech goes to files in {}", folder.display());
            vec![ok("", what)]
        }
        Some(folder) => {
            let what = format!("no sound card, and {} can not be written", folder.display());
            vec![problem("", what, "make the folder for the daemon's user, or plug in a card")]
        }
        None => vec![problem(
            "",
            "there is no sound card: nothing can be said in the home",
            "plug in a speaker and see that `aplay -l` names it; on a Raspberry Pi enable audio",
        )],
    }
}
