//! The heart of the box: one task through which every fact passes, in one order. It stamps,
//! records, lets the guard judge and the book answer, and hands out what is to be done. It must
//! never wait for a disk, a network or a device.

mod board;
mod faults;
mod message;
mod recall;
mod recorder;
mod urgency;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anju_drivers::fleet::Commander;
use anju_guard::{Guard, HomeView};
use anju_journal::Journal;
use anju_model::command::{Command, Request};
use anju_model::config::Household;
use anju_model::{Body, BoxEvent, Entry, Finding, Moment, Stamp, Timeline};
use anju_respond::life::{Action, Book, Input};
use anju_respond::texts::Texts;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

pub use board::{Board, Said, When};
pub use message::{Answer, Message};
pub use recall::{ALERT_ENTRIES, EVENT_ENTRIES};
use recorder::Recorder;

use crate::clock::Clocks;
use crate::ways::Outs;

/// Longest sleep between two looks at the clock.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// Commands remembered, so that one that comes twice is carried out once.
const COMMANDS_REMEMBERED: usize = 512;

/// Others see the core this long after a change at the latest, and at most this often.
const SHOW_EVERY: Duration = Duration::from_millis(20);

/// What others see of the core.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// Alerts that are not closed.
    pub open: Vec<anju_respond::life::AlertView>,
    /// The home; absent until the core has begun.
    pub picture: Option<Arc<Picture>>,
}

/// The home as the core knows it.
#[derive(Debug)]
pub struct Picture {
    /// The configuration in use.
    pub household: Arc<Household>,
    /// When this was so.
    pub stamp: Stamp,
    /// The same on the line of time of alerts and of what was said.
    pub now: Moment,
    /// The same on the guard's line of time.
    pub guard_now: Moment,
    /// Since when the core is on guard.
    pub guarding_since: Moment,
    /// What the guard makes of the home.
    pub home: HomeView,
    /// What was last said and done.
    pub board: Board,
}

/// The core with all it owns.
pub struct Core {
    clocks: Clocks,
    recorder: Recorder,
    line: Timeline,
    guard: Guard,
    book: Book,
    outs: Outs,
    view: watch::Sender<View>,
    household: Arc<Household>,
    board: Board,
    began: Moment,
    /// Something changed that others have not seen.
    changed: bool,
    shown: Option<Instant>,
    commands: HashMap<String, Answer>,
    command_order: VecDeque<String>,
}

/// Work that is still to be done for one message.
enum Step {
    Judge(Entry),
    Tell(Input),
    Do(Action),
}

impl Core {
    /// A core on an open journal.
    pub fn new(
        household: Arc<Household>,
        journal: Journal,
        clocks: Clocks,
        outs: Outs,
        view: watch::Sender<View>,
    ) -> Self {
        let texts = Arc::new(Texts::new(household.language));
        Self {
            recorder: Recorder::new(journal, household.box_id.clone(), household.timezone.clone()),
            guard: Guard::new(household.clone()),
            book: Book::new(household.clone(), texts),
            household,
            board: Board::default(),
            began: Moment::default(),
            changed: true,
            shown: None,
            line: Timeline::default(),
            clocks,
            outs,
            view,
            commands: HashMap::new(),
            command_order: VecDeque::new(),
        }
    }

    /// Rebuilds what was known from the journal, and goes on with what was open. `first` are the
    /// entries that the start itself owes: boot, gaps, faults.
    pub fn begin(
        &mut self,
        recorded: impl Iterator<Item = anju_journal::Record>,
        first: Vec<Body>,
    ) {
        recall::recall(recorded, &mut self.line, &mut self.guard, &mut self.book, &mut self.board);
        self.board.configure(&self.household);
        self.began = self.now();
        let mut steps = VecDeque::new();
        for body in first {
            steps.extend(self.record(body, None));
        }
        let overlooked: Vec<Step> = self.guard.overlooked().into_iter().map(tell).collect();
        steps.extend(overlooked);
        self.work(steps);
        let now = self.now();
        let actions = self.book.resume(now);
        self.work(actions.into_iter().map(Step::Do).collect());
        self.show();
    }

    /// Runs until stopped; then records the stop and ends the ways out.
    pub async fn run(mut self, mut messages: mpsc::Receiver<Message>, stop: CancellationToken) {
        loop {
            let sleep = self.time_to_next_tick();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                message = messages.recv() => match message {
                    Some(message) => self.take(message),
                    None => break,
                },
                () = tokio::time::sleep(sleep) => {}
            }
            self.tick();
            if self.changed && self.time_to_show().is_zero() {
                self.show();
            }
        }
        self.take(Message::Box(BoxEvent::Stop { reason: "asked to stop".into() }));
        self.outs.stop().await;
    }

    fn now(&mut self) -> Moment {
        let stamp = self.clocks.stamp();
        let known = (stamp.clock != anju_model::Clock::Unknown).then_some(stamp.wall);
        let now = self.line.place(&stamp);
        self.book.set_clock(now, known);
        now
    }

    fn time_to_next_tick(&mut self) -> Duration {
        let now = self.now();
        let stamp = self.clocks.stamp();
        let book = self.book.next_tick().map(|at| at.since(now));
        let guard = self.guard.wait(&stamp);
        let show = self.changed.then(|| self.time_to_show());
        [book, guard, show].into_iter().flatten().min().unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP)
    }

    fn time_to_show(&self) -> Duration {
        self.shown.map_or(Duration::ZERO, |shown| SHOW_EVERY.saturating_sub(shown.elapsed()))
    }

    /// Lets others see the core as it is now.
    fn show(&mut self) {
        let now = self.now();
        let stamp = self.clocks.stamp();
        let picture = Picture {
            household: self.household.clone(),
            guard_now: self.guard.moment(&stamp),
            stamp,
            now,
            guarding_since: self.began,
            home: self.guard.home(),
            board: self.board.clone(),
        };
        let view = View { open: self.book.open(), picture: Some(Arc::new(picture)) };
        self.view.send_replace(view);
        self.changed = false;
        self.shown = Some(Instant::now());
    }

    /// Whatever is due by now.
    fn tick(&mut self) {
        let stamp = self.clocks.stamp();
        let mut steps: VecDeque<Step> = self.guard.advance(&stamp).into_iter().map(tell).collect();
        let now = self.now();
        if self.book.next_tick().is_some_and(|at| at <= now) {
            steps.extend(self.book.tick(now).into_iter().map(Step::Do));
        }
        if !steps.is_empty() {
            self.work(steps);
        }
    }

    /// Takes one message to its end.
    pub fn take(&mut self, message: Message) {
        let steps = match message {
            Message::Report(report) => {
                self.record(Body::Observation(report.observation), report.recorded)
            }
            Message::Box(event) => self.record(Body::Box(event), None),
            Message::Tell(input) => vec![Step::Tell(input)],
            Message::Request { request, answer } => {
                let result = self.command(request);
                // Who asked may be gone.
                let _ = answer.send(result);
                Vec::new()
            }
            Message::Household { household, commander } => {
                self.configure(household, &commander);
                Vec::new()
            }
        };
        self.work(steps.into());
    }

    fn configure(&mut self, household: Arc<Household>, commander: &Commander) {
        let now = self.now();
        let texts = Arc::new(Texts::new(household.language));
        self.outs.configure(&household, commander);
        self.guard.reconfigure(household.clone());
        self.board.configure(&household);
        self.household = household.clone();
        self.book.configure(now, household.clone(), texts);
    }

    fn record(
        &mut self,
        body: Body,
        recorded: Option<tokio::sync::oneshot::Sender<()>>,
    ) -> Vec<Step> {
        let stamp = self.clocks.stamp();
        let at = self.line.place(&stamp);
        let Some(entry) = self.recorder.record(stamp, body, recorded) else { return Vec::new() };
        self.board.note(&entry, at);
        let fault = match &entry.body {
            Body::Box(event) => faults::finding(&entry.id, event).map(tell),
            _ => None,
        };
        [Step::Judge(entry)].into_iter().chain(fault).collect()
    }

    /// Does all steps, in order, including those that they lead to. What a step leads to comes
    /// first, so that an alert is on its way before the next fact is looked at.
    fn work(&mut self, mut steps: VecDeque<Step>) {
        while let Some(step) = steps.pop_front() {
            let next: Vec<Step> = match step {
                Step::Judge(entry) => self.guard.observe(&entry).into_iter().map(tell).collect(),
                Step::Tell(input) => {
                    let now = self.now();
                    self.book.handle(now, input).actions.into_iter().map(Step::Do).collect()
                }
                Step::Do(action) => self.act(action),
            };
            for step in next.into_iter().rev() {
                steps.push_front(step);
            }
        }
        self.changed = true;
    }

    fn act(&mut self, action: Action) -> Vec<Step> {
        match action {
            Action::Record(change) => self.record(Body::Alert(change), None),
            Action::RecordDelivery(delivery) => self.record(Body::Delivery(delivery), None),
            Action::RecordBox(event) => self.record(Body::Box(event), None),
            other => {
                self.outs.send(other);
                Vec::new()
            }
        }
    }

    /// Carries out a command once; the same id gets the same answer again.
    fn command(&mut self, request: Request) -> Answer {
        if let Some(answer) = self.commands.get(&request.id) {
            return answer.clone();
        }
        let (id, by, name) = (request.id.clone(), request.by.clone(), request.command.name());
        let answer = match request.command {
            Command::Away { until } => {
                let event = BoxEvent::Away { until, by: by.clone() };
                let steps = self.record(Body::Box(event), None);
                self.work(steps.into());
                Ok(())
            }
            Command::Speak { ref text } => {
                self.outs.speak(text.clone());
                Ok(())
            }
            _ => {
                let now = self.now();
                let handled = self.book.handle(now, Input::Request(request));
                self.work(handled.actions.into_iter().map(Step::Do).collect());
                handled.answer.map_err(|refused| refused.to_string())
            }
        };
        let event = BoxEvent::Command {
            id: id.clone(),
            name: name.to_owned(),
            by,
            error: answer.as_ref().err().cloned(),
        };
        let steps = self.record(Body::Box(event), None);
        self.work(steps.into());
        if self.command_order.len() >= COMMANDS_REMEMBERED
            && let Some(oldest) = self.command_order.pop_front()
        {
            self.commands.remove(&oldest);
        }
        self.command_order.push_back(id.clone());
        self.commands.insert(id, answer.clone());
        answer
    }
}

fn tell(finding: Finding) -> Step {
    Step::Tell(Input::Finding(finding))
}
