//! Tells systemd how the box is: ready, alive, stopping. Its socket blocks once nobody reads it any
//! more, so a thread of its own writes there, and what it can not get rid of is dropped. Neither the
//! watchdog nor a stop may ever wait for it.

use std::sync::mpsc::{SyncSender, sync_channel};

use sd_notify::NotifyState;

/// States that may wait to be told.
const MOST: usize = 4;

/// The way to systemd.
#[derive(Debug, Clone)]
pub struct Systemd {
    /// Absent where nobody listens.
    states: Option<SyncSender<NotifyState<'static>>>,
}

impl Systemd {
    /// The way to who started the box, if that is systemd.
    pub fn new() -> Self {
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            return Self { states: None };
        }
        Self::with(|state| {
            if let Err(error) = sd_notify::notify(&[state]) {
                tracing::debug!(%error, "systemd can not be told");
            }
        })
    }

    fn with(tell: impl Fn(NotifyState<'static>) + Send + 'static) -> Self {
        let (states, told) = sync_channel(MOST);
        let thread = std::thread::Builder::new().name("systemd".to_owned());
        // It ends with the program, even in the middle of a write.
        let started = thread.spawn(move || told.into_iter().for_each(tell));
        if let Err(error) = &started {
            tracing::error!(%error, "no thread to tell systemd from");
        }
        Self { states: started.is_ok().then_some(states) }
    }

    /// Tells a state, soon. Returns at once.
    pub fn tell(&self, state: NotifyState<'static>) {
        if let Some(states) = &self.states {
            // One that does not read is not told.
            let _ = states.try_send(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_that_does_not_read_holds_up_nobody() {
        let (told, hears) = channel();
        let (release, held) = channel::<()>();
        let systemd = Systemd::with(move |state| {
            let _ = held.recv();
            told.send(state).unwrap();
        });
        // Far more than may wait.
        for _ in 0..100 {
            systemd.tell(NotifyState::Watchdog);
        }
        drop(release);
        let first = hears.recv_timeout(Duration::from_secs(30)).unwrap();
        assert_eq!(first.to_string(), NotifyState::Watchdog.to_string());
        drop(systemd);
        let more = hears.into_iter().count();
        assert!((MOST - 1..=MOST).contains(&more), "{more}");
    }
}
