//! An engine that fails on purpose: each kind of call can be told to fail, panic or hang.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::{Engine, EngineError, Op, Opener};
use crate::types::Lane;

/// What a call does instead of its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Returns this error.
    Fail(EngineError),
    /// Panics, as sled does on some broken files.
    Panic,
    /// Does not come back until the fault is changed.
    Hang,
}

#[derive(Debug, Default)]
struct Faults {
    open: Option<Fault>,
    apply: Option<Fault>,
    durable: Option<Fault>,
    read: Option<Fault>,
    /// Calls that hang at this moment.
    hanging: usize,
}

/// The script, shared between a test and the engine.
#[derive(Clone, Debug, Default)]
pub struct Script(Arc<(Mutex<Faults>, Condvar)>);

impl Script {
    fn lock(&self) -> MutexGuard<'_, Faults> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.lock());
        self.0.1.notify_all();
    }

    /// What opening does from now on.
    pub fn on_open(&self, fault: Option<Fault>) {
        self.set(|faults| faults.open = fault);
    }

    /// What applying changes does from now on.
    pub fn on_apply(&self, fault: Option<Fault>) {
        self.set(|faults| faults.apply = fault);
    }

    /// What making durable does from now on.
    pub fn on_durable(&self, fault: Option<Fault>) {
        self.set(|faults| faults.durable = fault);
    }

    /// What reading does from now on.
    pub fn on_read(&self, fault: Option<Fault>) {
        self.set(|faults| faults.read = fault);
    }

    /// Waits until a call hangs; false after `within`.
    pub fn wait_for_hang(&self, within: std::time::Duration) -> bool {
        let guard = self.lock();
        let (guard, _) = self
            .0
            .1
            .wait_timeout_while(guard, within, |faults| faults.hanging == 0)
            .unwrap_or_else(PoisonError::into_inner);
        guard.hanging > 0
    }

    #[allow(clippy::panic, reason = "panicking on purpose is what this engine is for")]
    fn act(&self, which: impl Fn(&Faults) -> &Option<Fault>) -> Result<(), EngineError> {
        let mut faults = self.lock();
        loop {
            match which(&faults) {
                None => return Ok(()),
                Some(Fault::Fail(error)) => return Err(error.clone()),
                Some(Fault::Panic) => {
                    drop(faults);
                    panic!("the script says panic");
                }
                Some(Fault::Hang) => {
                    faults.hanging += 1;
                    self.0.1.notify_all();
                    let hangs = |faults: &mut Faults| *which(faults) == Some(Fault::Hang);
                    let waited = self.0.1.wait_while(faults, hangs);
                    faults = waited.unwrap_or_else(PoisonError::into_inner);
                    faults.hanging -= 1;
                }
            }
        }
    }
}

/// Wraps another opener; the script goes before each call.
pub struct ScriptedOpener<O> {
    /// Whose work is done when the script says nothing.
    pub inner: O,
    /// The script.
    pub script: Script,
}

impl<O: Opener> Opener for ScriptedOpener<O> {
    fn open(&self, dir: &Path) -> Result<Arc<dyn Engine>, EngineError> {
        self.script.act(|faults| &faults.open)?;
        let inner = self.inner.open(dir)?;
        Ok(Arc::new(Scripted { inner, script: self.script.clone() }))
    }
}

struct Scripted {
    inner: Arc<dyn Engine>,
    script: Script,
}

impl Scripted {
    fn reading(&self) -> Result<(), EngineError> {
        self.script.act(|faults| &faults.read)
    }
}

impl Engine for Scripted {
    fn apply(&self, ops: &[Op<'_>]) -> Result<(), EngineError> {
        self.script.act(|faults| &faults.apply)?;
        self.inner.apply(ops)
    }

    fn make_durable(&self) -> Result<(), EngineError> {
        self.script.act(|faults| &faults.durable)?;
        self.inner.make_durable()
    }

    fn range(
        &self,
        lane: Lane,
        from: u64,
        to: u64,
        take: &mut dyn FnMut(u64, &[u8]) -> bool,
    ) -> Result<(), EngineError> {
        self.reading()?;
        self.inner.range(lane, from, to, take)
    }

    fn range_back(
        &self,
        lane: Lane,
        to: u64,
        take: &mut dyn FnMut(u64, &[u8]) -> bool,
    ) -> Result<(), EngineError> {
        self.reading()?;
        self.inner.range_back(lane, to, take)
    }

    fn first(&self, lane: Lane) -> Result<Option<u64>, EngineError> {
        self.reading()?;
        self.inner.first(lane)
    }

    fn last(&self, lane: Lane) -> Result<Option<u64>, EngineError> {
        self.reading()?;
        self.inner.last(lane)
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, EngineError> {
        self.reading()?;
        self.inner.meta(name)
    }

    fn size(&self) -> Result<u64, EngineError> {
        self.inner.size()
    }
}
