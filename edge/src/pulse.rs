//! Whether the core lives, for systemd's watchdog: it is asked again and again, and counts as alive
//! while it answered since the last time. It must never ask twice at once, nor take a core for dead
//! that has a full queue and works through it.

use tokio::sync::{mpsc, oneshot};

use crate::core::Message;

/// The question that is on its way.
#[derive(Debug, Default)]
pub struct Pulse {
    asked: Option<oneshot::Receiver<()>>,
}

impl Pulse {
    /// Whether the core answered since the last time; asks it anew if so.
    pub fn beats(&mut self, messages: &mpsc::Sender<Message>) -> bool {
        let beats = self.asked.as_mut().is_none_or(|answer| answer.try_recv().is_ok());
        if beats {
            let (answer, asked) = oneshot::channel();
            let messages = messages.clone();
            // In its turn, however long the queue is.
            tokio::spawn(async move { messages.send(Message::Pulse(answer)).await });
            self.asked = Some(asked);
        }
        beats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_core_that_does_not_answer_is_dead_until_it_does() {
        let (messages, mut core) = mpsc::channel(1);
        let mut pulse = Pulse::default();
        assert!(pulse.beats(&messages), "nothing was asked yet");
        for _ in 0..3 {
            assert!(!pulse.beats(&messages));
        }
        let Some(Message::Pulse(answer)) = core.recv().await else { panic!("another message") };
        answer.send(()).unwrap();
        assert!(pulse.beats(&messages));
        assert!(!pulse.beats(&messages));
        // A core that ended takes no question.
        drop(core);
        assert!(!pulse.beats(&messages));
    }
}
