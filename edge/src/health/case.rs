//! The switch at the box's own case. An opened case is a fault that is told at once: it is where the
//! box's power, card and keys are. It must never take a line that can not be read for a shut case, nor
//! one edge of a rattling switch for an opened one.

use std::sync::Arc;
use std::time::Duration;

use anju_drivers::gpio::lines::{InputLine, LineError, Lines, Wiring};
use anju_model::BoxEvent;
use anju_model::config::{ActiveLevel, Bias, CaseSwitch};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::core::{Message, View};

/// A level that stays for so long counts.
const STAYS: Duration = Duration::from_millis(200);
/// How often the level is looked at without an edge.
const LOOK: Duration = Duration::from_secs(15);
/// A line that can not be had is tried again after this.
const AGAIN: Duration = Duration::from_secs(60);

/// Watches the switch that the configuration names, until stopped.
pub async fn run(
    lines: Arc<dyn Lines>,
    mut view: watch::Receiver<View>,
    messages: mpsc::Sender<Message>,
    stop: CancellationToken,
) {
    let mut told = Told { messages, opened: false, unreadable: false };
    loop {
        let switch = configured(&view.borrow_and_update());
        let watching = async {
            match &switch {
                Some(switch) => told.watch(lines.as_ref(), switch).await,
                None => told.nothing().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = changed(&mut view, &switch) => {}
            () = watching => return,
        }
    }
}

fn configured(view: &View) -> Option<CaseSwitch> {
    view.picture.as_ref()?.household.case.clone()
}

/// Waits until another switch is configured, or for ever.
async fn changed(view: &mut watch::Receiver<View>, switch: &Option<CaseSwitch>) {
    if view.wait_for(|view| configured(view) != *switch).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// What was told of the case.
struct Told {
    messages: mpsc::Sender<Message>,
    opened: bool,
    unreadable: bool,
}

/// Nobody listens any more: the box stops.
struct Closed;

impl Told {
    /// There is no switch: what was told of one is over.
    async fn nothing(&mut self) {
        let over = "no switch is configured any more";
        if self.opened(false, over).await.is_ok() && self.unreadable(None).await.is_ok() {
            std::future::pending::<()>().await;
        }
    }

    /// Watches a switch; ends when nobody listens.
    async fn watch(&mut self, lines: &dyn Lines, switch: &CaseSwitch) {
        let wiring = Wiring {
            chip: switch.chip.clone(),
            line: switch.pin,
            active: ActiveLevel::Low,
            bias: Bias::PullUp,
            debounce: STAYS,
            consumer: "anju:case".to_owned(),
        };
        loop {
            let error = match lines.input(&wiring) {
                Ok(mut line) => match self.listen(line.as_mut(), switch).await {
                    Ok(error) => error,
                    Err(Closed) => return,
                },
                Err(error) => error,
            };
            if self.unreadable(Some(error.to_string())).await.is_err() {
                return;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn listen(
        &mut self,
        line: &mut dyn InputLine,
        switch: &CaseSwitch,
    ) -> Result<LineError, Closed> {
        self.unreadable(None).await?;
        let stays = if line.debounced() { Duration::ZERO } else { STAYS };
        loop {
            let closed = match line.closed() {
                Ok(closed) => closed,
                Err(error) => return Ok(error),
            };
            let reason = "the case is open; see who is there, and shut it";
            self.opened(closed != switch.closed_when_shut, reason).await?;
            match tokio::time::timeout(LOOK, line.edge()).await {
                Ok(Err(error)) => return Ok(error),
                Ok(Ok(_)) => tokio::time::sleep(stays).await,
                Err(_) => {}
            }
        }
    }

    async fn opened(&mut self, opened: bool, reason: &str) -> Result<(), Closed> {
        if std::mem::replace(&mut self.opened, opened) == opened {
            return Ok(());
        }
        let reason = if opened { reason } else { "the case is shut again" };
        self.fault("case", opened, reason.to_owned()).await
    }

    async fn unreadable(&mut self, reason: Option<String>) -> Result<(), Closed> {
        let unreadable = reason.is_some();
        if std::mem::replace(&mut self.unreadable, unreadable) == unreadable {
            return Ok(());
        }
        let reason = reason.unwrap_or_else(|| "the switch can be read again".to_owned());
        self.fault("driver:case", unreadable, reason).await
    }

    async fn fault(&self, part: &str, active: bool, reason: String) -> Result<(), Closed> {
        let event = BoxEvent::Fault { part: part.to_owned(), active, reason };
        self.messages.send(Message::Box(event)).await.map_err(|_| Closed)
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use anju_drivers::gpio::lines::{Edge, OutputLine};
    use futures::future::BoxFuture;

    use super::*;

    /// A line whose level a test sets.
    #[derive(Clone)]
    struct Switch(watch::Receiver<Option<bool>>);

    impl Switch {
        fn level(&self) -> Result<bool, LineError> {
            self.0.borrow().ok_or_else(|| LineError::Lost {
                chip: PathBuf::from("chip"),
                line: 5,
                reason: "unplugged".to_owned(),
            })
        }
    }

    impl Lines for Switch {
        fn input(&self, wiring: &Wiring) -> Result<Box<dyn InputLine>, LineError> {
            assert_eq!((wiring.line, wiring.bias), (5, Bias::PullUp));
            self.level()?;
            Ok(Box::new(self.clone()))
        }

        fn output(&self, _: &Wiring) -> Result<Box<dyn OutputLine>, LineError> {
            panic!("nothing is switched")
        }

        fn now(&self) -> Duration {
            Duration::ZERO
        }

        fn resolve(&self, chip: &Path) -> PathBuf {
            chip.to_owned()
        }
    }

    impl InputLine for Switch {
        fn debounced(&self) -> bool {
            false
        }

        fn closed(&self) -> Result<bool, LineError> {
            self.level()
        }

        fn pending(&mut self) -> Result<Option<Edge>, LineError> {
            Ok(None)
        }

        fn edge(&mut self) -> BoxFuture<'_, Result<Edge, LineError>> {
            Box::pin(async move {
                let _ = self.0.changed().await;
                let closed = self.level()?;
                Ok(Edge { at: Duration::ZERO, closed, lost: false })
            })
        }
    }

    async fn next(told: &mut mpsc::Receiver<Message>) -> (String, bool) {
        match told.recv().await.unwrap() {
            Message::Box(BoxEvent::Fault { part, active, .. }) => (part, active),
            _ => panic!("a fault was expected"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_opened_case_and_a_lost_line_are_told_and_a_rattle_is_not() {
        let (level, line) = watch::channel(Some(true));
        let (messages, mut told) = mpsc::channel(8);
        let switch = CaseSwitch { chip: PathBuf::from("chip"), pin: 5, closed_when_shut: true };
        let task = tokio::spawn(async move {
            let mut told = Told { messages, opened: false, unreadable: false };
            told.watch(&Switch(line), &switch).await;
        });
        tokio::time::sleep(LOOK / 2).await;
        // Opened for a moment that does not count, then for good.
        level.send_replace(Some(false));
        tokio::time::sleep(STAYS / 4).await;
        level.send_replace(Some(true));
        tokio::time::sleep(2 * LOOK).await;
        assert!(told.try_recv().is_err());
        level.send_replace(Some(false));
        assert_eq!(next(&mut told).await, ("case".to_owned(), true));
        level.send_replace(None);
        assert_eq!(next(&mut told).await, ("driver:case".to_owned(), true));
        level.send_replace(Some(true));
        assert_eq!(next(&mut told).await, ("driver:case".to_owned(), false));
        assert_eq!(next(&mut told).await, ("case".to_owned(), false));
        task.abort();
    }
}
