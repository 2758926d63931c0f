//! What the box can say without any voice of its own: sentences rendered beforehand in both
//! languages, each with the text that was spoken. All of it is compiled in, so a broken disk
//! cannot make the box mute. It must never say a name or a place inside a sentence (a room is a
//! clip of its own), and never claim more than the sentence's caller knows to be true.
//!
//! The wording is in `prompts/prompts.toml`; the files are made by `prompts/render`.

use std::fmt;
use std::io::Cursor;
use std::str::FromStr;

use anju_model::Language;
use anju_model::config::ContactRole;
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use thiserror::Error;

#[cfg(test)]
mod tests;

/// How pressing a sentence is, which decides at which hours it may be heard and what it interrupts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PromptClass {
    /// Told by day only, when nothing else is being said.
    Low,
    /// Somebody should do something; waits until what is being said has ended.
    Action,
    /// Told at any hour, interrupts everything below it.
    Critical,
}

impl PromptClass {
    /// The name in the catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            PromptClass::Low => "low",
            PromptClass::Action => "action",
            PromptClass::Critical => "critical",
        }
    }
}

/// What the sounds of all prompts begin with (`build.rs`).
const HEAD: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/prompts/head"));

/// The sound of a prompt: Ogg Vorbis, mono, for [`decode`].
pub fn ogg(id: PromptId, language: Language) -> Vec<u8> {
    [HEAD, rest(id, language)].concat()
}

/// Declares every prompt once. A prompt without its four files does not compile.
macro_rules! prompts {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $class:ident;)*) => {
        /// One sentence, or the name of one room, that the box can say.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum PromptId {
            $($(#[$doc])* $name,)*
        }

        impl PromptId {
            /// Every prompt, in the order of the catalogue.
            pub const ALL: &'static [PromptId] = &[$(PromptId::$name,)*];

            /// The id in the catalogue, which is also the name of the files.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(PromptId::$name => $id,)*
                }
            }

            /// How pressing it is.
            pub const fn class(self) -> PromptClass {
                match self {
                    $(PromptId::$name => PromptClass::$class,)*
                }
            }
        }

        /// The sound of a prompt after [`HEAD`].
        fn rest(id: PromptId, language: Language) -> &'static [u8] {
            match (id, language) {
                $(
                    (PromptId::$name, Language::ZhCn) => {
                        include_bytes!(concat!(env!("OUT_DIR"), "/prompts/zh-CN/", $id))
                    }
                    (PromptId::$name, Language::En) => {
                        include_bytes!(concat!(env!("OUT_DIR"), "/prompts/en/", $id))
                    }
                )*
            }
        }

        /// What the sound says, word for word.
        pub fn text(id: PromptId, language: Language) -> &'static str {
            match (id, language) {
                $(
                    (PromptId::$name, Language::ZhCn) => {
                        include_str!(concat!("../prompts/zh-CN/", $id, ".txt"))
                    }
                    (PromptId::$name, Language::En) => {
                        include_str!(concat!("../prompts/en/", $id, ".txt"))
                    }
                )*
            }
            .trim_ascii_end()
        }
    };
}

prompts! {
    /// Somebody pressed: help is being called.
    HelpPressed = "help-pressed", Critical;
    /// Somebody pressed again while help is being called.
    HelpAgain = "help-again", Critical;
    /// How to take a press back.
    CancelHint = "cancel-hint", Action;
    /// The cancel was understood.
    HelpCancelled = "help-cancelled", Critical;
    /// The cancel was passed on, and a call back will come.
    CancelTold = "cancel-told", Critical;
    /// A fall was detected and help is being called.
    FallSuspected = "fall-suspected", Critical;
    /// A fall was detected; time to take it back.
    FallQuestion = "fall-question", Critical;
    /// A microphone heard a call for help; time to take it back.
    VoiceQuestion = "voice-question", Critical;
    /// Smoke: leave first.
    Smoke = "smoke", Critical;
    /// Gas: windows, no switch, leave.
    Gas = "gas", Critical;
    /// Carbon monoxide: leave first.
    CarbonMonoxide = "carbon-monoxide", Critical;
    /// Water where none should be.
    Leak = "leak", Action;
    /// Nobody has moved for long; the question before the alarm.
    InactivityQuestion = "inactivity-question", Action;
    /// Nobody has moved for long; somebody is asked to look.
    InactivityAlarm = "inactivity-alarm", Critical;
    /// Not up by the usual time.
    NotUp = "not-up", Action;
    /// Left home and not back.
    LeftHome = "left-home", Action;
    /// The family is being reached.
    ContactTrying = "contact-trying", Critical;
    /// The centre is being reached.
    CentreTrying = "centre-trying", Critical;
    /// Somebody accepted and is coming.
    Accepted = "accepted", Critical;
    /// Help is there.
    Arrived = "arrived", Action;
    /// Who accepted has not come in time; the next is tried.
    Lapsed = "lapsed", Critical;
    /// Nobody has answered yet.
    NobodyYet = "nobody-yet", Critical;
    /// The alert was closed.
    AlertClosed = "alert-closed", Action;
    /// A device is not heard any more.
    DeviceSilent = "device-silent", Low;
    /// A device's battery is low.
    DeviceLowBattery = "device-low-battery", Low;
    /// The box may not reach anyone outside.
    NetworkLost = "network-lost", Action;
    /// The box reaches outside again.
    NetworkBack = "network-back", Low;
    /// Mains power lost, on battery.
    PowerLost = "power-lost", Action;
    /// Mains power is back.
    PowerBack = "power-back", Low;
    /// The journal cannot be written.
    CannotRecord = "cannot-record", Action;
    /// What follows, or just happened, is a test.
    Test = "test", Action;
    /// The box has started to guard.
    Ready = "ready", Low;
    /// An outer door opened at night.
    DoorAtNight = "door-at-night", Action;
    /// In the bathroom for long.
    BathroomStay = "bathroom-stay", Action;
    /// Out of bed at night and not back.
    OutOfBed = "out-of-bed", Action;
    /// A measurement out of the person's range.
    Vital = "vital", Action;
    /// The room is too hot.
    Heat = "heat", Action;
    /// The room is too cold.
    Cold = "cold", Action;
    /// Medication was not taken in time.
    Medication = "medication", Action;
    /// Water runs for long.
    WaterRunning = "water-running", Action;
    /// Somebody rings again and again.
    Strangers = "strangers", Action;
    /// A lock was opened by force.
    LockForced = "lock-forced", Critical;
    /// Somebody tries wrong codes at the lock.
    LockTries = "lock-tries", Action;
    /// A help button is due for its test.
    TestDue = "test-due", Low;
    /// Nothing in the home can call for help any more.
    Unguarded = "unguarded", Action;
    /// A device was opened or taken away.
    Tamper = "tamper", Low;
    /// A device has a fault.
    Trouble = "trouble", Low;
    /// A way to contacts does not work.
    WayOutLost = "way-out-lost", Low;
    /// The box's battery is low, worn or missing.
    BoxBattery = "box-battery", Action;
    /// The box's case was opened.
    CaseOpened = "case-opened", Action;
    /// Something about the box itself needs a look.
    BoxCare = "box-care", Low;
    /// Who comes is of the family.
    ComingFamily = "coming-family", Critical;
    /// Who comes is a neighbour.
    ComingNeighbour = "coming-neighbour", Critical;
    /// Who comes is of the community.
    ComingCommunity = "coming-community", Critical;
    /// Who comes is a volunteer.
    ComingVolunteer = "coming-volunteer", Critical;
    /// Who comes is of the building's management.
    ComingProperty = "coming-property", Critical;
    /// Who comes is of the care centre.
    ComingCentre = "coming-centre", Critical;
    /// Who comes is here in about 5 minutes.
    Minutes5 = "minutes-5", Critical;
    /// Who comes is here in about 10 minutes.
    Minutes10 = "minutes-10", Critical;
    /// Who comes is here in about 15 minutes.
    Minutes15 = "minutes-15", Critical;
    /// Who comes is here in about 20 minutes.
    Minutes20 = "minutes-20", Critical;
    /// Who comes is here in about 30 minutes.
    Minutes30 = "minutes-30", Critical;
    /// Who comes is here in about 40 minutes.
    Minutes40 = "minutes-40", Critical;
    /// Who comes is here in about 60 minutes.
    Minutes60 = "minutes-60", Critical;
    /// Who comes is here in about 90 minutes.
    Minutes90 = "minutes-90", Critical;
    /// Who comes is here in about 120 minutes.
    Minutes120 = "minutes-120", Critical;
    /// The bedroom. A room is allowed whenever the sentence it goes with is.
    RoomBedroom = "room-bedroom", Critical;
    /// The living room.
    RoomLivingRoom = "room-living-room", Critical;
    /// The kitchen.
    RoomKitchen = "room-kitchen", Critical;
    /// The bathroom.
    RoomBathroom = "room-bathroom", Critical;
    /// The hall.
    RoomHall = "room-hall", Critical;
    /// The study.
    RoomStudy = "room-study", Critical;
    /// The balcony.
    RoomBalcony = "room-balcony", Critical;
}

impl PromptId {
    /// Who comes, by what they are to the person.
    pub const fn coming(role: ContactRole) -> PromptId {
        match role {
            ContactRole::Family => PromptId::ComingFamily,
            ContactRole::Neighbour => PromptId::ComingNeighbour,
            ContactRole::Community | ContactRole::SocialWorker => PromptId::ComingCommunity,
            ContactRole::Volunteer | ContactRole::Charity => PromptId::ComingVolunteer,
            ContactRole::Property => PromptId::ComingProperty,
            ContactRole::CareInstitution | ContactRole::Centre => PromptId::ComingCentre,
        }
    }

    /// In about how many minutes; never sooner than promised, and nothing beyond two hours.
    pub fn in_minutes(minutes: u32) -> Option<PromptId> {
        const SAID: [(u32, PromptId); 9] = [
            (5, PromptId::Minutes5),
            (10, PromptId::Minutes10),
            (15, PromptId::Minutes15),
            (20, PromptId::Minutes20),
            (30, PromptId::Minutes30),
            (40, PromptId::Minutes40),
            (60, PromptId::Minutes60),
            (90, PromptId::Minutes90),
            (120, PromptId::Minutes120),
        ];
        SAID.iter().find(|(most, _)| minutes <= *most).map(|(_, id)| *id)
    }

    /// The clip that names a room, if the room has one: `bedroom` is `room-bedroom`.
    pub fn for_room(room: &str) -> Option<PromptId> {
        let is_it = |id: &&PromptId| id.as_str().strip_prefix("room-") == Some(room);
        PromptId::ALL.iter().find(is_it).copied()
    }
}

impl fmt::Display for PromptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A prompt was asked for that the catalogue does not have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no prompt is called {0:?}; use an id of the prompt catalogue")]
pub struct UnknownPrompt(pub String);

impl FromStr for PromptId {
    type Err = UnknownPrompt;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = PromptId::ALL.iter().find(|id| id.as_str() == name);
        found.copied().ok_or_else(|| UnknownPrompt(name.to_owned()))
    }
}

/// Sound as samples of one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pcm {
    /// Samples a second.
    pub rate_hz: u32,
    /// The samples, full scale ±32767.
    pub samples: Vec<i16>,
}

/// Why a sound file could not be decoded.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// Not Ogg Vorbis, or broken.
    #[error("the sound file is broken or not Ogg Vorbis ({0}); encode it again")]
    Broken(#[from] SymphoniaError),
    /// An Ogg file without a track that can be played.
    #[error("the sound file has no audio track; encode it again as Ogg Vorbis")]
    NoTrack,
    /// Stereo or more.
    #[error("the sound file has {0} channels; encode it with one")]
    NotMono(usize),
    /// A track without any sample.
    #[error("the sound file is empty; record it again")]
    Empty,
    /// Longer than [`LONGEST_S`].
    #[error("the sound file is longer than {LONGEST_S} s; shorten it")]
    TooLong,
}

/// The longest sound that is decoded, in seconds: a guard against a file that would fill memory.
pub const LONGEST_S: u32 = 60;

/// Decodes a mono Ogg Vorbis file of at most [`LONGEST_S`].
///
/// # Errors
/// [`DecodeError`] when the bytes are anything else. A file that breaks off inside an Ogg page is
/// an error too: half a sentence may say the opposite of the whole.
pub fn decode(bytes: impl Into<Vec<u8>>) -> Result<Pcm, DecodeError> {
    let source = Cursor::new(bytes.into());
    let stream = MediaSourceStream::new(Box::new(source), Default::default());
    let mut format = symphonia::default::get_probe().probe(
        &Hint::new(),
        stream,
        FormatOptions::default(),
        MetadataOptions::default(),
    )?;
    let track = format.default_track(TrackType::Audio).ok_or(DecodeError::NoTrack)?;
    let track_id = track.id;
    let codec = track.codec_params.as_ref().and_then(|codec| codec.audio());
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(codec.ok_or(DecodeError::NoTrack)?, &AudioDecoderOptions::default())?;

    let mut pcm = Pcm { rate_hz: 0, samples: Vec::new() };
    let mut packet_samples: Vec<i16> = Vec::new();
    while let Some(packet) = format.next_packet()? {
        if packet.track_id != track_id {
            continue;
        }
        let sound = decoder.decode(&packet)?;
        if sound.num_planes() != 1 {
            return Err(DecodeError::NotMono(sound.num_planes()));
        }
        pcm.rate_hz = sound.spec().rate();
        sound.copy_to_vec_interleaved(&mut packet_samples);
        pcm.samples.extend_from_slice(&packet_samples);
        if pcm.samples.len() as u64 > u64::from(pcm.rate_hz) * u64::from(LONGEST_S) {
            return Err(DecodeError::TooLong);
        }
    }
    if pcm.samples.is_empty() {
        return Err(DecodeError::Empty);
    }
    Ok(pcm)
}
