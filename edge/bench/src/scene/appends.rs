//! The journal alone beside bare sled: durable appends of one writer and of 32, and inserts that
//! wait for nothing. Entries of 256 bytes; turns alternate, so that both see the same disk.

use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anju_journal::{Journal, Lane, Settings, Urgency};

use crate::failure::{Failure, Outcome, io};
use crate::figures::{Bound, Figure};
use crate::floor::store::Store;
use crate::lab::Lab;

const BODY: [u8; 256] = [b'x'; 256];
const WRITERS: usize = 32;

/// Both sides, open.
struct Sides {
    store: Store,
    journal: Journal,
    runtime: tokio::runtime::Runtime,
    next: u64,
}

/// Measures. Blocking.
pub fn run(lab: &Lab) -> Outcome<Vec<Figure>> {
    let mut one = Figure::new("durable append, one writer", "us", Bound::TimesFloor(1.3));
    let mut many = Figure::new("durable appends, 32 writers", "1/s", Bound::PartOfFloor(0.8));
    let mut free =
        Figure::new("inserts that wait for nothing, until on disk", "1/s", Bound::PartOfFloor(0.5));
    let mut sides = Sides::open(lab.dir.path())?;
    for _ in 0..lab.runs {
        let (mut ours, mut floor) = (Duration::ZERO, Duration::ZERO);
        let (turns, each) = (lab.amount(20, 4), 25);
        for _ in 0..turns {
            floor += sides.bare_one(each)?;
            ours += sides.journal_one(each)?;
        }
        let per = |time: Duration| time.as_secs_f64() * 1e6 / (turns * each) as f64;
        one.beside(per(ours), per(floor));

        let (mut ours, mut floor) = (Duration::ZERO, Duration::ZERO);
        let (turns, each) = (lab.amount(10, 2), 100);
        for _ in 0..turns {
            floor += sides.bare_many(each)?;
            ours += sides.journal_many(each)?;
        }
        let rate = |time: Duration| (turns * each * WRITERS) as f64 / time.as_secs_f64();
        many.beside(rate(ours), rate(floor));

        // Within what the journal keeps in memory, so that nothing is shed.
        let (mut ours, mut floor) = (Duration::ZERO, Duration::ZERO);
        let (turns, each) = (lab.amount(4, 1), 40_000);
        for _ in 0..turns {
            floor += sides.bare_free(each)?;
            ours += sides.journal_free(each)?;
        }
        let rate = |time: Duration| (turns * each) as f64 / time.as_secs_f64();
        free.beside(rate(ours), rate(floor));
    }
    if !sides.journal.close(Duration::from_secs(10)) {
        return Err(Failure::Missed("the journal did not close".into()));
    }
    Ok(vec![one, many, free])
}

impl Sides {
    fn open(dir: &Path) -> Outcome<Self> {
        let (bare, ours) = (dir.join("bare"), dir.join("journal"));
        for path in [&bare, &ours] {
            std::fs::create_dir_all(path).map_err(io("making a folder"))?;
        }
        let store = Store::open(&bare)?;
        let (journal, _, _) = Journal::open(&ours, Settings::default())?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(io("making a runtime"))?;
        Ok(Self { store, journal, runtime, next: 0 })
    }

    fn key(&mut self) -> [u8; 8] {
        self.next += 1;
        self.next.to_be_bytes()
    }

    fn bare_one(&mut self, count: usize) -> Outcome<Duration> {
        let began = Instant::now();
        for _ in 0..count {
            let key = self.key();
            self.store.events.insert(key, &BODY[..])?;
            self.store.make_durable()?;
        }
        Ok(began.elapsed())
    }

    fn journal_one(&self, count: usize) -> Outcome<Duration> {
        let began = Instant::now();
        for _ in 0..count {
            let appended = self.journal.append(Lane::Events, Urgency::Now, |_| BODY.to_vec());
            self.runtime.block_on(appended.receipt.durable())?;
        }
        Ok(began.elapsed())
    }

    /// 32 threads hand their entries to one that writes what waits, makes it durable, and answers.
    fn bare_many(&mut self, each: usize) -> Outcome<Duration> {
        type Ask = ([u8; 8], mpsc::SyncSender<()>);
        let first = self.next;
        self.next += (each * WRITERS) as u64;
        let (tx, rx) = mpsc::channel::<Ask>();
        let began = Instant::now();
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let tx = tx.clone();
                scope.spawn(move || {
                    let (answer, answered) = mpsc::sync_channel(1);
                    for n in 0..each {
                        let key = first + (writer * each + n) as u64 + 1;
                        if tx.send((key.to_be_bytes(), answer.clone())).is_err() {
                            return;
                        }
                        // An error means that the writer gave up; it says why itself.
                        let _ = answered.recv();
                    }
                });
            }
            drop(tx);
            while let Ok(ask) = rx.recv() {
                let batch: Vec<Ask> = std::iter::once(ask).chain(rx.try_iter()).collect();
                for (key, _) in &batch {
                    self.store.events.insert(key, &BODY[..])?;
                }
                self.store.make_durable()?;
                for (_, answer) in batch {
                    // Each waits for its own answer.
                    let _ = answer.send(());
                }
            }
            Ok(began.elapsed())
        })
    }

    fn journal_many(&self, each: usize) -> Outcome<Duration> {
        let began = Instant::now();
        let all = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|_| {
                    scope.spawn(|| {
                        let runtime = tokio::runtime::Builder::new_current_thread()
                            .build()
                            .map_err(io("making a runtime"))?;
                        for _ in 0..each {
                            let appended =
                                self.journal.append(Lane::Events, Urgency::Now, |_| BODY.to_vec());
                            runtime.block_on(appended.receipt.durable())?;
                        }
                        Ok::<(), Failure>(())
                    })
                })
                .collect();
            let ended = writers.into_iter().map(|writer| {
                writer.join().unwrap_or_else(|_| Err(Failure::Missed("a writer panicked".into())))
            });
            ended.collect::<Outcome<Vec<()>>>()
        });
        all.map(|_| began.elapsed())
    }

    fn bare_free(&mut self, count: usize) -> Outcome<Duration> {
        let began = Instant::now();
        for _ in 0..count {
            let key = self.key();
            self.store.events.insert(key, &BODY[..])?;
        }
        self.store.make_durable()?;
        Ok(began.elapsed())
    }

    fn journal_free(&self, count: usize) -> Outcome<Duration> {
        let began = Instant::now();
        for _ in 1..count {
            self.journal.append(Lane::Events, Urgency::Lazy, |_| BODY.to_vec());
        }
        let last = self.journal.append(Lane::Events, Urgency::Now, |_| BODY.to_vec());
        self.runtime.block_on(last.receipt.durable())?;
        Ok(began.elapsed())
    }
}
