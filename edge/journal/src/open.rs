//! Opening: the epoch, the engine (on a thread that may unwind), setting aside what is broken, the
//! cursors. It must never set a journal aside for what is not its own fault.

use std::collections::{BTreeMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, RwLock, mpsc as std_mpsc};
use std::time::{SystemTime, UNIX_EPOCH};

use thiserror::Error;
use tokio::sync::{mpsc, watch};

use crate::cursor::{self, CursorFile};
use crate::engine::{Engine, EngineError, Opener};
use crate::epoch;
use crate::files;
use crate::settings::Settings;
use crate::shared::{Place, Progress, Shared, State};
use crate::types::{Gap, Lane, Notice, Recording, SetAside, Trouble};
use crate::{batcher, record, retention};

/// Version of the folder's layout.
const FORMAT: &str = "anju-journal 1";

/// Why there is no journal at all.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("the journal in {0} is held by another process; stop it first")]
    Locked(PathBuf),
    /// Written by a later version in a way this one can not read.
    #[error(
        "the journal in {path} has the format {found:?}; this version reads {FORMAT:?}: update first"
    )]
    Format {
        /// The folder.
        path: PathBuf,
        /// What stands there.
        found: String,
    },
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
    /// are not recorded.
    pub tail_lost: Option<Gap>,
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
    retention::check_space(dir, settings)?;
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
    match rx.recv_timeout(settings.open_within) {
        Ok(opened) => opened,
        Err(_) => Err(Trouble::Stalled.into()),
    }
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
struct Held {
    last: u64,
    epoch: Option<u64>,
    id: Option<u64>,
    payload: [u64; 2],
}

fn look(engine: &dyn Engine) -> Result<Held, EngineError> {
    let mut held = Held { last: 0, epoch: None, id: None, payload: [0; 2] };
    for lane in Lane::ALL {
        held.last = held.last.max(engine.last(lane)?.unwrap_or(0));
        let mut tries = 0;
        engine.range_back(lane, u64::MAX, &mut |_, value| {
            tries += 1;
            match record::decode(value) {
                Ok((number, _)) => {
                    held.epoch = held.epoch.max(Some(number.epoch));
                    false
                }
                Err(_) => tries < 64,
            }
        })?;
    }
    let word = |bytes: Option<&[u8]>| bytes?.try_into().ok().map(u64::from_le_bytes);
    held.id = word(engine.meta("id")?.as_deref());
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
    check_format(dir)?;
    let journals = count_journals(dir);
    let mut aside = None;
    let mut attempt = open_engine(dir, &opener, &settings)
        .and_then(|engine| look(&*engine).map(|held| (engine, held)));
    if let Err(EngineError::Broken(reason)) = &attempt {
        tracing::error!(reason, "the journal does not open; it is set aside");
        attempt = match set_aside(dir, reason.clone()) {
            Ok(moved) => {
                aside = Some(moved);
                open_engine(dir, &opener, &settings)
                    .and_then(|engine| look(&*engine).map(|held| (engine, held)))
            }
            Err(error) => Err(crate::engine::sort_io("setting the journal aside", &error).into()),
        };
    }
    let (engine, held, mut recording) = match attempt {
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
    let raised = epoch::raise(&stored, seen, journals);
    let mut number = if clean { stored.epoch.unwrap_or(raised) } else { raised };
    if recording.is_active() {
        let stored = if clean { Ok(()) } else { epoch::store(dir, number) };
        if let Err(error) = stored.and_then(|()| epoch::unmark_clean(dir)) {
            recording = Recording::Suspended(crate::engine::sort_io("epoch", &error));
        }
    }
    let mut next = last + 1;
    if !recording.is_active() {
        number = epoch::borrow(raised);
        let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
        next = next.max(u64::try_from(millis).unwrap_or(0));
    }
    let id = held.as_ref().and_then(|held| held.id).unwrap_or(number);
    if let (Some(engine), true) = (&engine, held.as_ref().is_some_and(|held| held.id.is_none())) {
        // Made durable with the first batch; until then no cursor can be ahead of it.
        let _ = engine.apply(&[crate::engine::Op::Meta("id", &id.to_le_bytes())]);
    }
    let tail_lost = (!clean && !first_start && aside.is_none()).then(|| Gap {
        epoch: stored.epoch.or(seen).unwrap_or(0),
        lane: None,
        from: last + 1,
        to: last + settings.queue_entries as u64,
    });
    let opened = Opened {
        epoch: number,
        durable: last,
        clean: clean || first_start,
        tail_lost,
        set_aside: aside,
        recording: recording.clone(),
    };
    let (notices, receiver) = mpsc::unbounded_channel();
    let shared = Arc::new(Shared {
        dir: dir.to_owned(),
        settings,
        journal_id: id,
        state: Mutex::new(State {
            epoch: number,
            next,
            tail: VecDeque::new(),
            waiting: 0,
            waiting_bytes: 0,
            writing: 0,
            deadline: None,
            writing_since: None,
            shed: VecDeque::new(),
            followers: cursors(dir, id, last),
            closing: false,
            corrupt: 0,
            payload: held.map_or([0; 2], |held| held.payload),
        }),
        wake: Condvar::new(),
        engine: RwLock::new(engine),
        progress: watch::Sender::new(Progress { durable: last, recording, closed: false }),
        alerts: watch::Sender::new(0),
        notices,
    });
    batcher::start(shared.clone(), opener).map_err(OpenError::Thread)?;
    Ok((shared, opened, receiver))
}

fn check_format(dir: &Path) -> Result<(), OpenError> {
    match std::fs::read_to_string(dir.join("format")) {
        Ok(found) if found.trim_end() == FORMAT => Ok(()),
        Ok(found) if found.is_empty() => {
            let _ = files::replace(dir, "format", None, format!("{FORMAT}\n").as_bytes());
            Ok(())
        }
        Ok(found) => {
            Err(OpenError::Format { path: dir.to_owned(), found: found.trim_end().into() })
        }
        Err(_) => {
            let _ = files::replace(dir, "format", None, format!("{FORMAT}\n").as_bytes());
            Ok(())
        }
    }
}

/// The places of all followers there ever were, held back to what is durable.
fn cursors(dir: &Path, journal: u64, last: u64) -> BTreeMap<cursor::Key, Place> {
    let folder = cursor::folder(dir);
    let mut places = BTreeMap::new();
    for key in cursor::list(&folder).unwrap_or_default() {
        match CursorFile::open(&folder, &key) {
            Ok((file, at)) => {
                let acknowledged = match at {
                    Some((of, seq)) if of == journal => seq.min(last),
                    _ => 0,
                };
                places.insert(key, Place { file: Some(file), acknowledged, changed: false });
            }
            Err(error) => tracing::warn!(%error, cursor = key.file_name(), "cursor not readable"),
        }
    }
    places
}
