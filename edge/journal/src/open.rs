//! Opening: the epoch, the engine (on a thread that may unwind), setting aside what is broken, the
//! cursors. It must never set a journal aside for what is not its own fault.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock, mpsc as std_mpsc};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use thiserror::Error;
use tokio::sync::{Notify, mpsc, watch};

use crate::cursor::{self, CursorFile};
use crate::engine::{Engine, EngineError, Opener};
use crate::epoch;
use crate::files;
use crate::settings::Settings;
use crate::shared::{Place, Progress, Shared, State};
use crate::types::{Gap, Lane, Notice, Number, Recording, SetAside, Trouble};
use crate::{batcher, places, record, recount, retention};

/// Before the version of the folder's layout.
const NAME: &str = "anju-journal ";

/// The layout that is read and written here.
const FORMAT: &str = "anju-journal 1";

/// Why there is no journal at all.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("the journal in {0} is held by another process; stop it first")]
    Locked(PathBuf),
    /// No writing thread could be started.
    #[error("no thread for the journal could be started: {0}")]
    Thread(std::io::Error),
}

/// What was found when opening.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Epoch of new entries.
    pub epoch: u64,
    /// The last durable number; 0 if there is none.
    pub durable: u64,
    /// Whether the last stop was clean, or this is the first start.
    pub clean: bool,
    /// After a stop that was not clean: numbers of the old epoch that may have left the box and
    /// are not recorded; one for each epoch since the last recorded entry, because a start that died
    /// early may have left nothing but numbers.
    pub tail_lost: Vec<Gap>,
    /// Entries up to this number were durable and are not there any more: the disk lost them. 0 if
    /// it is not known up to which. What was lost after a stop is found only as far as somebody had
    /// followed it.
    pub lost: Option<u64>,
    /// A journal that did not open.
    pub set_aside: Option<SetAside>,
    /// Whether entries reach the disk.
    pub recording: Recording,
}

pub(crate) fn folder(dir: &Path) -> PathBuf {
    dir.join("journal")
}

/// Opens an engine on a thread of its own: sled may panic or hang over broken files.
pub(crate) fn open_engine(
    dir: &Path,
    opener: &Arc<dyn Opener>,
    settings: &Settings,
) -> Result<Arc<dyn Engine>, EngineError> {
    let (tx, rx) = std_mpsc::sync_channel(1);
    let (opener, path) = (opener.clone(), folder(dir));
    std::thread::Builder::new()
        .name("journal-open".into())
        .spawn(move || {
            let opened = std::panic::catch_unwind(AssertUnwindSafe(|| opener.open(&path)));
            let opened = opened.unwrap_or_else(|panic| {
                Err(EngineError::Broken(format!("it panicked: {}", panic_text(&*panic))))
            });
            let _ = tx.send(opened);
        })
        .map_err(|error| Trouble::Short(error.to_string()))?;
    let opened = match rx.recv_timeout(settings.open_within) {
        Ok(opened) => opened,
        Err(_) if disk_answers(dir) => {
            let what = format!("it did not open within {:?}", settings.open_within);
            Err(EngineError::Broken(what))
        }
        Err(_) => Err(Trouble::Stalled.into()),
    };
    match opened {
        // On a full or read-only disk an engine fails in strange ways: that is not the journal's
        // fault.
        Err(EngineError::Broken(what)) => {
            retention::check_space(dir, settings)?;
            probe(dir)
                .map_err(|error| crate::engine::sort_io("writing beside the journal", &error))?;
            Err(EngineError::Broken(what))
        }
        other => other,
    }
}

/// Writes, forces and removes a small file.
fn probe(dir: &Path) -> std::io::Result<()> {
    files::replace(dir, "probe", None, &[0; 4096])?;
    files::remove(dir, "probe")
}

/// Whether the disk itself still works, when an engine does not come back.
fn disk_answers(dir: &Path) -> bool {
    let (tx, rx) = std_mpsc::sync_channel(1);
    let dir = dir.to_owned();
    let thread = std::thread::Builder::new().name("journal-probe".into());
    let started = thread.spawn(move || {
        let _ = tx.send(probe(&dir).is_ok());
    });
    started.is_ok() && rx.recv_timeout(Duration::from_secs(5)).unwrap_or(false)
}

pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no text".into())
}

/// Moves a broken journal out of the way.
pub(crate) fn set_aside(dir: &Path, reason: String) -> std::io::Result<SetAside> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    for n in 0..1000 {
        let path = dir.join(format!("journal.aside-{seconds}-{n}"));
        if !path.exists() {
            std::fs::rename(folder(dir), &path)?;
            files::sync_dir(dir)?;
            return Ok(SetAside { path, reason });
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}

fn count_journals(dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name == "journal" || name.starts_with("journal.aside-")).count() as u64
}

/// What the engine holds that opening needs.
pub(crate) struct Held {
    pub last: u64,
    /// The newest of each lane.
    pub newest: [Number; 2],
    pub epoch: Option<u64>,
    id: Option<u64>,
    pub payload: [u64; 2],
    /// The payload was being counted anew.
    pub recount: bool,
}

/// Looks without a scan. What is found was at least in the page cache; it is forced to the disk
/// before it counts as durable.
pub(crate) fn look(engine: &dyn Engine) -> Result<Held, EngineError> {
    batcher::guarded(|| look_inside(engine))
}

fn look_inside(engine: &dyn Engine) -> Result<Held, EngineError> {
    let newest = [Number { epoch: 0, seq: 0 }; 2];
    let mut held = Held { last: 0, newest, epoch: None, id: None, payload: [0; 2], recount: false };
    for lane in Lane::ALL {
        let newest = &mut held.newest[lane.index()];
        newest.seq = engine.last(lane)?.unwrap_or(0);
        held.last = held.last.max(newest.seq);
        let mut tries = 0;
        engine.range_back(lane, u64::MAX, &mut |_, value| {
            tries += 1;
            match record::decode(value) {
                Ok((number, _)) => {
                    newest.epoch = number.epoch;
                    held.epoch = held.epoch.max(Some(number.epoch));
                    false
                }
                Err(_) => tries < 64,
            }
        })?;
    }
    let word = |bytes: Option<&[u8]>| bytes?.try_into().ok().map(u64::from_le_bytes);
    held.id = word(engine.meta("id")?.as_deref());
    held.recount = recount::is_due(engine)?;
    if let Some(bytes) = engine.meta("payload")? {
        held.payload = [word(bytes.get(..8)).unwrap_or(0), word(bytes.get(8..16)).unwrap_or(0)];
    }
    Ok(held)
}

pub(crate) fn open(
    dir: &Path,
    settings: Settings,
    opener: Arc<dyn Opener>,
) -> Result<(Arc<Shared>, Opened, mpsc::UnboundedReceiver<Notice>), OpenError> {
    // Failures to write here show again, and are told, when the engine is opened.
    let _ = std::fs::create_dir_all(cursor::folder(dir));
    let journals = count_journals(dir);
    let mut aside = None;
    let mut opened = attempt(dir, &opener, &settings);
    if let Err(EngineError::Broken(reason)) = &opened {
        tracing::error!(reason, "the journal does not open; it is set aside");
        opened = match set_aside(dir, reason.clone()) {
            Ok(moved) => {
                aside = Some(moved);
                let _ = files::remove(dir, "format");
                attempt(dir, &opener, &settings)
            }
            Err(error) => Err(crate::engine::sort_io("setting the journal aside", &error).into()),
        };
    }
    let (engine, held, mut recording) = match opened {
        Ok((engine, held)) => (Some(engine), Some(held), Recording::Active),
        Err(EngineError::Trouble(Trouble::Locked)) => {
            return Err(OpenError::Locked(dir.to_owned()));
        }
        Err(EngineError::Trouble(trouble)) => (None, None, Recording::Suspended(trouble)),
        Err(EngineError::Broken(why)) => (None, None, Recording::Suspended(Trouble::Failed(why))),
    };
    let stored =
        epoch::load(dir).unwrap_or(epoch::Stored { epoch: None, damaged: true, clean: None });
    let last = held.as_ref().map_or(0, |held| held.last);
    let first_start = stored.epoch.is_none() && !stored.damaged && journals == 0;
    let clean = aside.is_none()
        && held.is_some()
        && stored.clean.is_some_and(|(of, next)| Some(of) == stored.epoch && next == last + 1);
    let seen = held.as_ref().and_then(|held| held.epoch);
    // After a clean stop too: a start on a disk that takes no writes may have come in between, and
    // left no trace but the numbers that it sent.
    let raised = epoch::raise(&stored, seen, journals);
    let mut number = raised;
    let mut next = last + 1;
    // The epoch must be kept before a number of it is given.
    let kept = match &engine {
        Some(_) => epoch::store(dir, number)
            .and_then(|()| epoch::unmark_clean(dir))
            .map_err(|error| crate::engine::sort_io("epoch", &error)),
        None => Err(Trouble::Failed("no engine".into())),
    };
    if let Err(trouble) = kept {
        number = epoch::borrow(raised);
        // Microseconds: no start gives numbers faster than they pass, and for two centuries to come
        // they stay below 2^53, up to where JSON's readers are exact (RFC 8259, section 6).
        let micros = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros());
        next = next.max(u64::try_from(micros).unwrap_or(0));
        if recording.is_active() {
            recording = Recording::Suspended(trouble);
        }
    }
    let id = held.as_ref().and_then(|held| held.id).unwrap_or(number);
    let (followers, ahead, settled) = cursors(dir, id, held.as_ref().map(|_| last));
    if let Some(engine) = &engine
        && recording.is_active()
    {
        let ready = retention::check_space(dir, &settings).and_then(|()| {
            settled.map_err(|error| crate::engine::sort_io("cursors", &error))?;
            prepare(&**engine, id)
        });
        match ready {
            Ok(()) => {}
            Err(EngineError::Trouble(trouble)) => recording = Recording::Suspended(trouble),
            Err(EngineError::Broken(why)) => {
                recording = Recording::Suspended(Trouble::Failed(why));
            }
        }
    }
    let unclean = !clean && !first_start && aside.is_none();
    let tail_lost = if unclean { lost_tails(&stored, seen, last, &settings) } else { Vec::new() };
    let begun_before = stored.epoch.is_some_and(|epoch| epoch > 1);
    let lost = match ahead {
        _ if !unclean || held.is_none() => None,
        None if last == 0 && begun_before => Some(0),
        ahead => ahead,
    };
    let opened = Opened {
        epoch: number,
        durable: last,
        clean: clean || first_start,
        tail_lost,
        lost,
        set_aside: aside,
        recording: recording.clone(),
    };
    let joined = held.is_some();
    let recount = held.as_ref().is_some_and(|held| held.recount || !clean && held.last > 0);
    let (notices, receiver) = mpsc::unbounded_channel();
    let shared = Arc::new(Shared {
        dir: dir.to_owned(),
        settings,
        journal_id: AtomicU64::new(id),
        state: Mutex::new(State {
            epoch: number,
            next,
            tail: VecDeque::new(),
            waiting: 0,
            waiting_bytes: 0,
            writing: 0,
            deadline: None,
            writing_since: None,
            left: held.as_ref().map_or([Number { epoch: 0, seq: 0 }; 2], |held| held.newest),
            shed: VecDeque::new(),
            followers,
            closing: false,
            places_end: false,
            corrupt: 0,
            broken: BTreeSet::new(),
            payload: held.map_or([0; 2], |held| held.payload),
        }),
        wake: Condvar::new(),
        ended: Condvar::new(),
        moved: Condvar::new(),
        written: Notify::new(),
        engine: RwLock::new(engine),
        progress: watch::Sender::new(Progress {
            durable: last,
            recording,
            shed: false,
            closed: false,
        }),
        alerts: watch::Sender::new(0),
        notices,
    });
    crate::watch::start(shared.clone()).map_err(OpenError::Thread)?;
    places::start_forcing(shared.clone()).map_err(OpenError::Thread)?;
    let places = places::start_writing(shared.clone()).map_err(OpenError::Thread)?;
    batcher::start(shared.clone(), opener, joined, recount, places).map_err(OpenError::Thread)?;
    Ok((shared, opened, receiver))
}

/// What may be missing after a stop that was not clean.
fn lost_tails(
    stored: &epoch::Stored,
    seen: Option<u64>,
    last: u64,
    settings: &Settings,
) -> Vec<Gap> {
    /// More starts in a row that recorded nothing than any box makes; a leap is no start.
    const MOST: u64 = 64;
    let newest = stored.epoch.or(seen).unwrap_or(0);
    let oldest = seen.unwrap_or(newest).max(newest.saturating_sub(MOST));
    let gap =
        |epoch| Gap { epoch, lane: None, from: last + 1, to: last + settings.queue_entries as u64 };
    (oldest..=newest.max(oldest)).map(gap).collect()
}

/// Takes the folder's format over; what a later version wrote there, if one did. What is no format
/// at all is damage to this one file, which says nothing of the journal, and is written anew.
fn later_format(dir: &Path) -> Option<String> {
    let found = std::fs::read(dir.join("format")).unwrap_or_default();
    let found = String::from_utf8_lossy(&found);
    let found = found.trim_end();
    if found == FORMAT {
        return None;
    }
    if found.strip_prefix(NAME).is_some_and(|number| number.parse::<u32>().is_ok()) {
        return Some(found.to_owned());
    }
    // A disk that can not be written shows when the engine is opened.
    let _ = files::replace(dir, "format", None, format!("{FORMAT}\n").as_bytes());
    None
}

/// Whether somebody uses the engine's file.
fn is_held(dir: &Path) -> bool {
    let file = std::fs::File::options().read(true).write(true).open(folder(dir).join("db"));
    file.is_ok_and(|file| matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)))
}

/// Opens the engine and looks at it.
fn attempt(
    dir: &Path,
    opener: &Arc<dyn Opener>,
    settings: &Settings,
) -> Result<(Arc<dyn Engine>, Held), EngineError> {
    if let Some(found) = later_format(dir) {
        if is_held(dir) {
            return Err(Trouble::Locked.into());
        }
        let why = format!("a later version wrote it, as {found:?}; this one reads {FORMAT:?}");
        return Err(EngineError::Broken(why));
    }
    open_engine(dir, opener, settings).and_then(|engine| look(&*engine).map(|held| (engine, held)))
}

/// Gives the journal its id and makes durable whatever a process that died left unforced.
fn prepare(engine: &dyn Engine, id: u64) -> Result<(), EngineError> {
    batcher::guarded(|| {
        engine.apply(&[crate::engine::Op::Meta("id", &id.to_le_bytes())])?;
        engine.make_durable()
    })
}

/// The places of all followers there ever were. With `last` known they are held back to it, on the
/// disk as well: numbers above it will be given again, in another epoch, to other entries. Says also
/// how far above `last` somebody was given what was durable: alerts are given before they are, so
/// they say nothing as long as anything is left.
fn cursors(
    dir: &Path,
    journal: u64,
    last: Option<u64>,
) -> (BTreeMap<cursor::Key, Place>, Option<u64>, std::io::Result<()>) {
    let folder = cursor::folder(dir);
    let mut places = BTreeMap::new();
    let mut ahead = None;
    let mut settled = Ok(());
    for key in cursor::list(&folder).unwrap_or_default() {
        match CursorFile::open(&folder, &key) {
            Ok((mut file, at)) => {
                let acknowledged = match (at, last) {
                    (Some((of, seq)), Some(last)) if of == journal => seq.min(last),
                    (Some((_, seq)), None) => seq,
                    _ => 0,
                };
                if let (Some((of, seq)), Some(last)) = (at, last) {
                    let durable = key.lane == Lane::Events && of == journal;
                    if seq > last && (durable || last == 0) {
                        ahead = ahead.max(Some(seq));
                    }
                }
                if last.is_some() {
                    settled = settled.and(file.set(journal, acknowledged));
                }
                let file = Some(Arc::new(Mutex::new(file)));
                let opened_at = acknowledged;
                places.insert(
                    key,
                    Place { file, acknowledged, opened_at, unwritten: None, changed: false },
                );
            }
            Err(error) => tracing::warn!(%error, cursor = key.file_name(), "cursor not readable"),
        }
    }
    (places, ahead, settled)
}

/// A journal that could not be opened at the start is there at last: takes its counters over, and
/// puts right the cursors. Followers that were served from memory meanwhile do not go back, since
/// numbers only rise; what they missed is told.
pub(crate) fn join(shared: &Shared, engine: &dyn Engine) -> Result<(), EngineError> {
    let held = look(engine)?;
    let journal = held.id.unwrap_or_else(|| shared.journal_id.load(Ordering::Relaxed));
    prepare(engine, journal)?;
    let mut missed = Vec::new();
    let mut files = Vec::new();
    {
        let mut state = shared.lock();
        state.payload = held.payload;
        for (left, held) in state.left.iter_mut().zip(held.newest) {
            *left = (*left).max(held);
        }
        let first = state.tail.front().map_or(u64::MAX, |queued| queued.number.seq);
        for (key, place) in &mut state.followers {
            let moved = place.acknowledged > place.opened_at;
            if !moved {
                place.acknowledged = place.acknowledged.min(held.last);
            } else if place.opened_at < held.last && key.lane == Lane::Alerts && first > held.last {
                missed.push((place.opened_at + 1, held.last));
            }
            place.opened_at = place.acknowledged;
            files.push((place.file.clone(), place.acknowledged));
        }
    }
    shared.journal_id.store(journal, Ordering::Relaxed);
    for (file, seq) in files {
        if let Some(file) = file {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.set(journal, seq).map_err(|error| crate::engine::sort_io("cursors", &error))?;
        }
    }
    for (from, to) in missed {
        let mut any = false;
        batcher::guarded(|| {
            engine.range(Lane::Alerts, from, to, &mut |_, _| {
                any = true;
                false
            })
        })?;
        if any {
            let epoch = held.epoch.unwrap_or(0);
            shared.notice_gap(Gap { epoch, lane: Some(Lane::Alerts), from, to });
        }
    }
    shared.progress.send_modify(|progress| progress.durable = progress.durable.max(held.last));
    Ok(())
}
