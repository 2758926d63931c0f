//! Wake words over the Wyoming protocol. The box connects to a service that hears with a microphone
//! of its own: a satellite is told to run and its words come as `detection` events; a wake service
//! is told which words to detect. No sound is asked for, and what comes is thrown away at once: the
//! box keeps neither sound nor words but the name of the wake word. A lost service is told as lost.
//! A wake service may hear only the sound that somebody sends to it, which the box never does; it
//! answers for ever and can never call, so that it is told as in trouble until it has detected once.

pub use anju_wyoming as event;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anju_model::observation::{Help, Trouble};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, interval_at, timeout};

use super::{Broken, Voice};
use event::{Decoder, Event};

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// It is asked this often who it is, to see that it is still there.
const ASK_EVERY: Duration = Duration::from_secs(30);
/// Silence after which it counts as lost.
const SILENT_FOR: Duration = Duration::from_secs(90);

/// The wake word in an event, if that is a detection that calls for help.
pub fn called(event: &Event, wake_words: &[String]) -> Option<String> {
    if event.kind != "detection" {
        return None;
    }
    // A service with one word only need not name it.
    let name = event.data.get("name").and_then(Value::as_str).unwrap_or_default();
    // Services write one word's name with blanks or underscores.
    let plain = |word: &str| word.to_lowercase().replace('_', " ");
    let wanted = |word: &String| plain(word) == plain(name);
    (wake_words.is_empty() || wake_words.iter().any(wanted)).then(|| name.to_owned())
}

/// What a service is, as it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ear {
    /// A room's microphone with what detects.
    Satellite,
    /// What detects, perhaps without a microphone.
    Wake,
}

impl Ear {
    fn of(info: &Event) -> Option<Self> {
        let has = |part: &str| match info.data.get(part) {
            Some(Value::Array(all)) => !all.is_empty(),
            Some(Value::Object(one)) => !one.is_empty(),
            _ => false,
        };
        if has("satellite") {
            return Some(Self::Satellite);
        }
        has("wake").then_some(Self::Wake)
    }

    /// What starts its detection.
    fn start(self, wake_words: &[String]) -> Value {
        match self {
            Self::Satellite => json!({"type": "run-satellite"}),
            Self::Wake if wake_words.is_empty() => json!({"type": "detect", "data": {}}),
            Self::Wake => json!({"type": "detect", "data": {"names": wake_words}}),
        }
    }
}

/// Listens until the service is lost. `detected` is whether it ever detected anything, in this run or
/// one before.
pub(super) async fn serve(
    address: &str,
    wake_words: &[String],
    detected: &AtomicBool,
    voice: &mut Voice<'_>,
) -> Result<(), Broken> {
    let lost = |what: &str| {
        Broken::Device(format!("{address} {what}; look whether its Wyoming service runs"))
    };
    let connected = timeout(CONNECT_WITHIN, TcpStream::connect(address)).await;
    let mut stream = match connected {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(lost(&format!("can not be reached ({error})"))),
        Err(_) => return Err(lost("does not answer")),
    };
    let mut decoder = Decoder::default();
    let mut buffer = vec![0; 8 * 1024];
    let mut heard_at = Instant::now();
    let mut asking = interval_at(heard_at, ASK_EVERY);
    let mut started = None;
    loop {
        let read = tokio::select! {
            read = stream.read(&mut buffer) => read,
            _ = asking.tick() => {
                if heard_at.elapsed() > SILENT_FOR {
                    return Err(lost("says nothing any more"));
                }
                send(&mut stream, &json!({"type": "describe"})).await.map_err(|e| lost(&e))?;
                continue;
            }
        };
        let count = match read {
            Ok(0) => return Err(lost("ended the connection")),
            Ok(count) => count,
            Err(error) => return Err(lost(&format!("broke the connection ({error})"))),
        };
        heard_at = Instant::now();
        let events = decoder.feed(buffer.get(..count).unwrap_or_default());
        for event in events.map_err(|bad| Broken::Device(format!("{address}: {bad}")))? {
            match event.kind.as_str() {
                "info" => {
                    voice.heard().await?;
                    if started.is_none() {
                        let Some(ear) = Ear::of(&event) else {
                            let reason = format!(
                                "{address} has neither a satellite nor wake words; give the \
                                 address of a service that has"
                            );
                            return Err(Broken::Device(reason));
                        };
                        send(&mut stream, &ear.start(wake_words)).await.map_err(|e| lost(&e))?;
                        started = Some(ear);
                        if ear == Ear::Wake && !detected.load(Ordering::Relaxed) {
                            let reason = "it hears only what is sent to it, unless it has a \
                                          microphone of its own; give the address of a satellite, \
                                          or say its word to show that it hears";
                            let reason = reason.to_owned();
                            voice.say(Trouble { active: true, reason }, false).await?;
                        }
                    }
                }
                "ping" => {
                    let pong = json!({"type": "pong", "data": event.data});
                    send(&mut stream, &pong).await.map_err(|e| lost(&e))?;
                }
                "detection" => {
                    if let Some(word) = called(&event, wake_words) {
                        let phrase = (!word.is_empty()).then_some(word);
                        voice.say(Help { phrase, ..Help::pressed() }, false).await?;
                    }
                    if !detected.swap(true, Ordering::Relaxed) && started == Some(Ear::Wake) {
                        let reason = "it detected a word by itself".to_owned();
                        voice.say(Trouble { active: false, reason }, false).await?;
                    }
                    // A satellite would now send sound until it has an answer; this is one, and it
                    // listens for its word again.
                    let answer = json!({"type": "transcript", "data": {"text": ""}});
                    send(&mut stream, &answer).await.map_err(|e| lost(&e))?;
                }
                _ => {}
            }
        }
    }
}

async fn send(stream: &mut TcpStream, event: &Value) -> Result<(), String> {
    let line = format!("{event}\n");
    let sent = timeout(CONNECT_WITHIN, stream.write_all(line.as_bytes())).await;
    match sent {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(format!("broke the connection ({error})")),
        Err(_) => Err("takes nothing any more".to_owned()),
    }
}
