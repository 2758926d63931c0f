//! Free words through the program `espeak-ng`, where it is installed. Only version 1.52 or newer is
//! used: 1.51 reads Mandarin as English letters. It runs as a child with a time limit, and is
//! killed as soon as something more urgent has to be said.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anju_model::Language;

use super::samples::from_wav;
use crate::prompts::Pcm;

/// Oldest version that reads Mandarin.
const OLDEST: (u32, u32) = (1, 52);
/// How long one sentence may take.
const LIMIT: Duration = Duration::from_secs(3);
/// Most bytes taken from it: a minute of sound and some more.
const MOST_BYTES: u64 = 8 * 1024 * 1024;
/// How often it is asked whether something more urgent has come.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Whether a fit version is installed.
pub(super) fn installed() -> bool {
    run(Command::new("espeak-ng").arg("--version"), LIMIT, &|| false)
        .is_some_and(|out| version(&String::from_utf8_lossy(&out)).is_some_and(|v| v >= OLDEST))
}

/// The version out of `eSpeak NG text-to-speech: 1.52.0  Data at: …`.
fn version(text: &str) -> Option<(u32, u32)> {
    let (_, after) = text.split_once("text-to-speech:")?;
    let mut parts = after.trim_start().split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Speaks words. `None` if it could not, or was not to be waited for any longer.
pub(super) fn speak(words: &str, language: Language, give_up: &dyn Fn() -> bool) -> Option<Pcm> {
    let voice = match language {
        Language::ZhCn => "cmn",
        Language::En => "en",
    };
    // After `--` nothing is taken for an option, whatever the words begin with.
    let mut command = Command::new("espeak-ng");
    command.args(["-v", voice, "-s", "140", "--stdout", "--", words]);
    let pcm = from_wav(&run(&mut command, LIMIT, give_up)?)?;
    (!pcm.samples.is_empty()).then_some(pcm)
}

/// Runs a program and takes what it prints, within a limit of time.
fn run(command: &mut Command, limit: Duration, give_up: &dyn Fn() -> bool) -> Option<Vec<u8>> {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let (send, printed) = mpsc::channel();
    let out = child.stdout.take();
    // A reader of its own, so that a full pipe and a hanging program can both be waited for.
    let reader = std::thread::Builder::new().name("espeak".to_owned()).spawn(move || {
        let mut bytes = Vec::new();
        let read = out.map(|out| out.take(MOST_BYTES).read_to_end(&mut bytes));
        let _ = send.send(matches!(read, Some(Ok(_))).then_some(bytes));
    });
    let deadline = Instant::now() + limit;
    let bytes = loop {
        match printed.recv_timeout(LOOK_EVERY) {
            Ok(bytes) => break bytes,
            Err(mpsc::RecvTimeoutError::Disconnected) => break None,
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
        if give_up() || Instant::now() >= deadline {
            break None;
        }
    };
    let _ = child.kill();
    let status = child.wait();
    drop(reader);
    // Killed after it had closed its output is as good as ended.
    status.ok().and(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_old_ones_are_not_taken() {
        let new = "eSpeak NG text-to-speech: 1.52.0  Data at: /usr/lib/espeak-ng-data";
        assert_eq!(version(new), Some((1, 52)));
        let old = "eSpeak NG text-to-speech: 1.51  Data at: /usr/lib/espeak-ng-data";
        assert!(version(old).unwrap() < OLDEST);
        assert_eq!(version("something else"), None);
        assert_eq!(version("text-to-speech: x.y"), None);
    }

    #[test]
    fn a_program_that_hangs_is_given_up_and_ended() {
        let begin = Instant::now();
        let limit = Duration::from_millis(50);
        assert_eq!(run(Command::new("sleep").arg("60"), limit, &|| false), None);
        assert_eq!(run(Command::new("sleep").arg("60"), LIMIT, &|| true), None);
        assert!(begin.elapsed() < LIMIT);
    }

    #[test]
    fn a_program_that_is_not_there_is_no_error() {
        assert_eq!(run(&mut Command::new("anju-no-such-program"), LIMIT, &|| false), None);
        let printed = run(Command::new("echo").arg("words"), LIMIT, &|| false);
        assert_eq!(printed, Some(b"words\n".to_vec()));
    }
}
