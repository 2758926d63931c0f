//! The heart of the box: one task through which every fact passes, in one order. It stamps,
//! records, lets the guard judge and the book answer, and hands out what is to be done. It must
//! never wait for a disk, a network or a device.

mod board;
mod carried_out;
mod clock_watch;
mod message;
pub mod open_alerts;
mod proofs;
mod recall;
mod recorder;
mod urgency;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anju_drivers::fleet::Commander;
use anju_guard::{Faults, Guard, HomeView};
use anju_journal::Journal;
use anju_model::command::{Command, Request};
use anju_model::config::{ChannelKind, Household};
use anju_model::delivery::{self, DeliveryState};
use anju_model::{
    Body, BoxEvent, Class, Delivery, Entry, EntryId, Finding, Moment, Outcome, Stamp, Timeline,
};
use anju_respond::life::proof::Prover;
use anju_respond::life::{Action, Book, Input};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

pub use board::{Board, Said, When};
pub use message::{Answer, Message, Proofs};
pub use recall::EVENT_ENTRIES;
use recorder::Recorder;

use carried_out::CarriedOut;
use clock_watch::ClockWatch;
use open_alerts::OpenAlerts;

use crate::acceptance::{self, Acceptance, Effect};
use crate::clock::Clocks;
use crate::ways::Outs;

/// Longest sleep between two looks at the clock.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// How often what the guard must not forget is recorded, well within what is read back.
const LIFE_EVERY: Duration = Duration::from_secs(3 * 3600);

/// So many other entries after it, it is recorded again, however busy the home: a quarter of what
/// is read back.
const LIFE_EVERY_ENTRIES: usize = EVENT_ENTRIES / 4;

/// Messages to pass on of which it is waited for that the centre's broker has them.
const MOST_ASKED_OF_CENTRE: usize = 256;

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
    carried_out: CarriedOut,
    /// What the centre was asked to pass on and its broker has not taken yet.
    asked_of_centre: VecDeque<(EntryId, delivery::Message)>,
    acceptance: Acceptance,
    prover: Prover,
    waiting: Vec<proofs::Waiting>,
    faults: Faults,
    clock: ClockWatch,
    life_recorded: Option<Moment>,
    /// Entries recorded since, but for those of alerts.
    since_life: usize,
    /// Who waits until what follows from the message at hand is on the disk.
    awaited: Option<oneshot::Sender<()>>,
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
        open_alerts: OpenAlerts,
        view: watch::Sender<View>,
    ) -> Self {
        let texts = outs.texts();
        let acceptance = Acceptance::new(&household);
        Self {
            recorder: Recorder::new(
                journal,
                household.box_id.clone(),
                household.timezone.clone(),
                open_alerts,
            ),
            guard: Guard::new(household.clone()),
            book: Book::new(household.clone(), texts.clone()),
            prover: Prover::new(household.clone(), texts),
            waiting: Vec::new(),
            household,
            board: Board::default(),
            began: Moment::default(),
            changed: true,
            shown: None,
            line: Timeline::default(),
            clocks,
            outs,
            view,
            carried_out: CarriedOut::default(),
            asked_of_centre: VecDeque::new(),
            acceptance,
            faults: Faults::default(),
            clock: ClockWatch::default(),
            life_recorded: None,
            since_life: 0,
            awaited: None,
        }
    }

    /// Rebuilds what was known from the journal, and goes on with what was open. `first` are the
    /// entries that the start itself owes: boot, gaps, faults. Returns the newest time by a clock
    /// that was known.
    pub fn begin(
        &mut self,
        recorded: impl Iterator<Item = anju_journal::Record>,
        first: Vec<Body>,
    ) -> Option<jiff::Timestamp> {
        let newest = recall::recall(
            recorded,
            &mut self.line,
            &mut self.guard,
            &mut self.book,
            &mut self.board,
            &mut self.acceptance,
            &mut self.prover,
            &mut self.recorder,
            &mut self.carried_out,
        );
        self.board.configure(&self.household);
        self.began = self.now();
        self.prover.begin(self.began);
        let mut steps = VecDeque::new();
        for body in first {
            steps.extend(self.record(body, None));
        }
        let last = steps.iter().rev().find_map(|step| match step {
            Step::Judge(entry) => Some(entry.id.clone()),
            _ => None,
        });
        if let Some(id) = last {
            steps.extend(self.faults.settle(&id).into_iter().map(tell));
        }
        let overlooked: Vec<Step> = self.guard.overlooked().into_iter().map(tell).collect();
        steps.extend(overlooked);
        self.work(steps);
        let now = self.now();
        let actions = self.book.resume(now);
        self.work(actions.into_iter().map(Step::Do).collect());
        self.show();
        newest
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
        while let Ok(message) = messages.try_recv() {
            self.take(message);
        }
        self.take(Message::Box(BoxEvent::Stop { reason: "asked to stop".into() }));
        self.outs.stop().await;
    }

    fn now(&mut self) -> Moment {
        let stamp = self.clocks.stamp();
        self.look(&stamp)
    }

    fn look(&mut self, stamp: &Stamp) -> Moment {
        let now = self.line.place(stamp);
        if let Some(outage) = self.line.caught_up() {
            self.book.catch_up(outage);
            self.began = outage.carry(self.began);
            self.life_recorded = self.life_recorded.map(|at| outage.carry(at));
        }
        if let Some(wall) = self.clock.look(now, stamp) {
            self.book.set_clock(now, wall);
            self.prover.set_clock(now, wall);
        }
        now
    }

    fn time_to_next_tick(&mut self) -> Duration {
        let now = self.now();
        let stamp = self.clocks.stamp();
        let book = self.book.next_tick().map(|at| at.since(now));
        let guard = self.guard.wait(&stamp);
        let acceptance = self.acceptance.next_tick().map(|at| at.since(now));
        let show = self.changed.then(|| self.time_to_show());
        [book, guard, acceptance, show]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(LONGEST_SLEEP)
            .min(LONGEST_SLEEP)
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
        self.outs.look();
        let stamp = self.clocks.stamp();
        let mut steps: VecDeque<Step> = self.guard.advance(&stamp).into_iter().map(tell).collect();
        let now = self.now();
        let effects = self.acceptance.tick(now);
        steps.extend(self.accept(effects));
        steps.extend(self.record_clock());
        if self.life_recorded.is_none_or(|at| now.since(at) >= LIFE_EVERY)
            || self.since_life >= LIFE_EVERY_ENTRIES
        {
            self.life_recorded = Some(now);
            self.since_life = 0;
            steps.extend(self.record(Body::Box(self.guard.life(&stamp)), None));
            steps.extend(self.remember_reach(now));
        }
        let tasks = self.prover.tick(now, self.book.open_of_class(Class::Alarm) > 0);
        steps.extend(self.prove(tasks));
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
            Message::Report(mut report) => {
                let now = self.now();
                let device = &report.observation.origin.device;
                report.observation.test |= self.acceptance.under_test(device, now);
                self.record(Body::Observation(report.observation), report.recorded)
            }
            Message::Box(event) => self.record(Body::Box(event), None),
            Message::Tell(input) => vec![Step::Tell(input)],
            Message::Account { input, recorded } => {
                self.awaited = Some(recorded);
                self.work(VecDeque::from([Step::Tell(input)]));
                if let Some(recorded) = self.awaited.take() {
                    // Who waits may be gone.
                    let _ = recorded.send(());
                }
                Vec::new()
            }
            Message::Taken { epoch, seq } => {
                let is_it = |(id, _): &(EntryId, _)| (id.epoch, id.seq) == (epoch, seq);
                let asked = self.asked_of_centre.iter().position(is_it);
                if let Some((_, message)) = asked.and_then(|i| self.asked_of_centre.remove(i)) {
                    self.passed_on(Delivery { state: DeliveryState::Sent, message });
                }
                Vec::new()
            }
            Message::Request { request, answer } => {
                let (recorded, durable) = oneshot::channel();
                let result = self.command(request, recorded);
                // What was answered with success must outlast a power cut. Nobody here waits for
                // that; and a journal that does not record lets go of it.
                tokio::spawn(async move {
                    let _ = durable.await;
                    // Who asked may be gone.
                    let _ = answer.send(result);
                });
                Vec::new()
            }
            Message::Acceptance { ask, answer } => {
                let now = self.now();
                let effects = match ask {
                    acceptance::Ask::Status => Ok(Vec::new()),
                    acceptance::Ask::Stop => Ok(self.acceptance.stop(now)),
                    acceptance::Ask::Start { device, by } => {
                        self.acceptance.start(device.as_ref(), &by, now)
                    }
                };
                let report = match &effects {
                    Ok(_) => Ok(self.acceptance.report(now)),
                    Err(refused) => Err(refused.to_string()),
                };
                // Who asked may be gone.
                let _ = answer.send(report);
                self.accept(effects.unwrap_or_default())
            }
            Message::Recordings => {
                self.outs.read_recordings();
                Vec::new()
            }
            Message::Pulse(answer) => {
                // Who asked may be gone.
                let _ = answer.send(());
                Vec::new()
            }
            Message::Obeyed { device, obeyed } => {
                let now = self.now();
                let effects = self.acceptance.obeyed(&device, obeyed, now);
                self.accept(effects)
            }
            Message::Proof { kind, proof } => self.proved(kind, proof),
            Message::Prove { contact, answer } => self.asked_to_prove(contact.as_ref(), answer),
            Message::Household { household, commander } => self.configure(household, &commander),
        };
        self.work(steps.into());
    }

    fn configure(&mut self, household: Arc<Household>, commander: &Commander) -> Vec<Step> {
        let now = self.now();
        self.outs.configure(&household, commander);
        let texts = self.outs.texts();
        let found = self.guard.reconfigure(household.clone());
        self.recorder.set_zone(household.timezone.clone());
        let effects = self.acceptance.configure(&household, now);
        self.board.configure(&household);
        self.household = household.clone();
        let closed = self.book.configure(now, household.clone(), texts.clone());
        let tasks = self.prover.configure(now, household, texts);
        let mut steps: Vec<Step> = found.into_iter().map(tell).collect();
        steps.extend(closed.into_iter().map(Step::Do));
        steps.extend(self.accept(effects));
        steps.extend(self.prove(tasks));
        steps
    }

    /// What the acceptance wants done.
    fn accept(&mut self, effects: Vec<Effect>) -> Vec<Step> {
        let mut steps = Vec::new();
        for effect in effects {
            match effect {
                Effect::Record(event) => steps.extend(self.record(Body::Box(*event), None)),
                Effect::Sound(device) => self.outs.try_siren(device),
                Effect::TellAnew(device) => self.outs.tell_anew(device),
                Effect::Close(alert) => {
                    let command = Command::Close {
                        alert: alert.clone(),
                        outcome: Outcome::Test,
                        note: String::new(),
                    };
                    let (by, via) = ("acceptance".to_owned(), "acceptance".to_owned());
                    let request = Request { id: format!("accepted/{alert}"), by, via, command };
                    steps.push(Step::Tell(Input::Request(request)));
                }
            }
        }
        steps
    }

    fn record(&mut self, body: Body, recorded: Option<oneshot::Sender<()>>) -> Vec<Step> {
        let stamp = self.clocks.stamp();
        // By the jump of a clock the entries before and after it are placed: it is told before the
        // first that has the new time.
        let mut steps = self.look_for_jump(&stamp);
        steps.extend(self.write(stamp, body, recorded));
        steps
    }

    /// Records what is new of the clock.
    fn record_clock(&mut self) -> Vec<Step> {
        let stamp = self.clocks.stamp();
        self.look_for_jump(&stamp)
    }

    fn look_for_jump(&mut self, stamp: &Stamp) -> Vec<Step> {
        self.look(stamp);
        let news = self.clock.news(stamp);
        news.map(|news| self.write(stamp.clone(), Body::Box(news), None)).unwrap_or_default()
    }

    fn write(
        &mut self,
        stamp: Stamp,
        body: Body,
        recorded: Option<oneshot::Sender<()>>,
    ) -> Vec<Step> {
        let at = self.line.place(&stamp);
        let Some(entry) = self.recorder.record(stamp, body, recorded) else { return Vec::new() };
        self.board.note(&entry, at);
        self.since_life += usize::from(entry.body.lane() == anju_model::Lane::Events);
        if let Body::Delivery(asked) = &entry.body
            && matches!(asked.state, DeliveryState::Requested)
        {
            if self.asked_of_centre.len() >= MOST_ASKED_OF_CENTRE {
                self.asked_of_centre.pop_front();
            }
            let message = delivery::Message { request: None, ..asked.message.clone() };
            self.asked_of_centre.push_back((entry.id.clone(), message));
        }
        if let Body::Box(BoxEvent::Modem { sim: Some(sim), .. }) = &entry.body {
            self.prover.card(at, sim);
        }
        let fault = match &entry.body {
            Body::Box(event) => self.faults.take(&entry.id, event).map(tell),
            _ => None,
        };
        [Step::Judge(entry)].into_iter().chain(fault).collect()
    }

    /// Does all steps, in order, including those that they lead to. What a step leads to comes
    /// first, so that an alert is on its way before the next fact is looked at.
    fn work(&mut self, mut steps: VecDeque<Step>) {
        while let Some(step) = steps.pop_front() {
            let next: Vec<Step> = match step {
                Step::Judge(entry) => self.judge(&entry),
                Step::Tell(mut input) => {
                    let now = self.now();
                    clock_watch::doubt_time(&mut input, self.clocks.stamp().clock);
                    let mut proved = Vec::new();
                    if let Input::Answered { contact, via, .. } = &input {
                        let tasks = self.prover.answered_by(now, contact, *via);
                        proved = self.prove(tasks);
                    }
                    let told: Vec<Step> =
                        self.book.handle(now, input).actions.into_iter().map(Step::Do).collect();
                    told.into_iter().chain(proved).collect()
                }
                Step::Do(action) => self.act(action),
            };
            for step in next.into_iter().rev() {
                steps.push_front(step);
            }
        }
        self.changed = true;
    }

    fn judge(&mut self, entry: &Entry) -> Vec<Step> {
        let was_away = self.guard.is_away();
        let mut steps: Vec<Step> = self.guard.observe(entry).into_iter().map(tell).collect();
        let told = matches!(entry.body, Body::Box(BoxEvent::Away { .. }));
        if was_away && !self.guard.is_away() && !told {
            let by = anju_guard::AWAY_ENDED_BY_GUARD.to_owned();
            steps.extend(self.record(Body::Box(BoxEvent::Away { until: None, by }), None));
        }
        let effects = match &entry.body {
            Body::Observation(said) => {
                let now = self.now();
                self.acceptance.observe(said, now)
            }
            Body::Alert(change) => {
                let now = self.now();
                self.acceptance.alert(change, now)
            }
            _ => Vec::new(),
        };
        steps.extend(self.accept(effects));
        if let Body::Delivery(delivery) = &entry.body {
            let now = self.now();
            let tasks = self.prover.delivered(now, delivery);
            steps.extend(self.prove(tasks));
        }
        steps
    }

    fn act(&mut self, action: Action) -> Vec<Step> {
        match action {
            Action::Record(change) => {
                let recorded = self.awaited.take();
                self.record(Body::Alert(change), recorded)
            }
            Action::RecordDelivery(delivery) => {
                let recorded = self.awaited.take();
                self.record(Body::Delivery(delivery), recorded)
            }
            Action::RecordBox(event) => self.record(Body::Box(event), None),
            other => {
                self.outs.send(other);
                Vec::new()
            }
        }
    }

    /// The centre tells what became of a message that it was asked to pass on.
    fn told_by_centre(&mut self, request: &Request) -> Answer {
        let Command::Delivery { alert, contact, state, over, detail } = &request.command else {
            return Ok(());
        };
        if matches!(state, DeliveryState::Requested) {
            return Err("`state` is for the centre to tell: sent, failed or answered".into());
        }
        if self.book.get(alert).is_none() && !self.prover.is_test(alert) {
            return Err(format!("no alert `{alert}` is open; nothing is passed on for it"));
        }
        let detail: String = [over.as_str(), detail.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(": ");
        let delivery = Delivery {
            state: *state,
            message: delivery::Message {
                alert: alert.clone(),
                contact: contact.clone(),
                channel: ChannelKind::Centre.as_str().to_owned(),
                attempt: 1,
                detail: (!detail.is_empty()).then(|| detail.chars().take(500).collect()),
                request: None,
            },
        };
        self.passed_on(delivery);
        Ok(())
    }

    /// What became of a message that the centre was asked to pass on.
    fn passed_on(&mut self, delivery: Delivery) {
        if !self.outs.told_by_centre(&delivery) {
            self.work(VecDeque::from([Step::Tell(Input::Delivered(delivery))]));
        }
    }

    /// Carries out a command once; the same id gets the same answer again. `recorded` is told when
    /// all that follows from it is on the disk, and dropped if it does not get there.
    fn command(&mut self, request: Request, recorded: oneshot::Sender<()>) -> Answer {
        if let Some(answer) = self.carried_out.answer(&request.id) {
            return answer;
        }
        if let Command::Accept { alert, .. }
        | Command::Arrived { alert }
        | Command::Close { alert, .. } = &request.command
            && request.via == "upstream"
        {
            self.outs.acted_through_centre(alert);
        }
        let (id, by, name) = (request.id.clone(), request.by.clone(), request.command.name());
        let answer = match request.command {
            Command::Away { until: Some(until) }
                if self.clocks.trusted().is_some_and(|now| until <= now) =>
            {
                Err(format!("`until` is {until}, which is past; nobody would be away"))
            }
            Command::Away { until } => {
                let event = BoxEvent::Away { until, by: by.clone() };
                let steps = self.record(Body::Box(event), None);
                self.work(steps.into());
                Ok(())
            }
            Command::Delivery { .. } => self.told_by_centre(&request),
            Command::Speak { ref text } => {
                self.outs.speak(text.clone());
                Ok(())
            }
            Command::Accept { ref alert, .. } | Command::Arrived { ref alert }
                if self.prover.is_test(alert) =>
            {
                let now = self.now();
                let tasks = self.prover.answered(now, alert, &request.via).unwrap_or_default();
                let steps = self.prove(tasks);
                self.work(steps.into());
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
        // The last entry of all that follow from it; the journal writes them in order.
        let steps = self.record(Body::Box(event), Some(recorded));
        self.work(steps.into());
        self.carried_out.note(id, answer.clone());
        answer
    }
}

fn tell(finding: Finding) -> Step {
    Step::Tell(Input::Finding(finding))
}
