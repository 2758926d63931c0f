//! Serves the local page on a thread of its own, so that neither a flood of requests nor a fault in
//! it can hold up the guard. A port in use is told as a fault and tried again; it must never end
//! the daemon.

mod figures;
mod home;
mod status;
mod view;
mod watch;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anju_drivers::fleet::{Fleet, Watched};
use anju_journal::Journal;
use anju_model::BoxEvent;
use anju_model::config::Household;
use anju_web_setup::Limits;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::sync::watch::{Receiver, Sender, channel};
use tokio_util::sync::CancellationToken;

use crate::clock::Clocks;
use crate::core::{self, Message};
use view::View;

/// Pause before a port that could not be had is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// Where the page looks.
pub struct Sources {
    /// The record.
    pub journal: Journal,
    /// The clocks.
    pub clocks: Clocks,
    /// The core.
    pub core: Receiver<core::View>,
    /// The way to the centre, if there is one.
    pub upstream: Option<Receiver<anju_upstream::session::View>>,
    /// The links into the Internet.
    pub uplinks: Receiver<anju_uplinks::View>,
    /// Where a fault of the page is told.
    pub messages: mpsc::Sender<Message>,
}

/// What changes with the configuration.
pub struct Setup {
    household: Arc<Household>,
    /// Parts of the configuration that can not be used.
    faults: Vec<String>,
    /// The drivers that run.
    drivers: Vec<Watched>,
}

impl Setup {
    /// Of a configuration whose drivers were started.
    pub fn new(household: Arc<Household>, faults: &[String], fleet: &Fleet) -> Self {
        Self { household, faults: faults.to_vec(), drivers: fleet.watch() }
    }
}

/// The running page.
pub struct Page {
    setup: Sender<Arc<Setup>>,
}

impl Page {
    /// Starts it. It ends with `stop`.
    pub fn start(sources: Sources, setup: Setup, stop: CancellationToken) -> Self {
        let (sender, setup) = channel(Arc::new(setup));
        let messages = sources.messages.clone();
        let thread = std::thread::Builder::new()
            .name("page".into())
            .spawn(move || on_own_runtime(sources, setup, &stop));
        if let Err(error) = thread {
            let reason = format!("no thread for the page: {error}");
            // A full queue means that there is worse to tell.
            let _ = messages.try_send(fault(Some(reason)));
        }
        Self { setup: sender }
    }

    /// Takes over a changed configuration.
    pub fn set_up(&self, setup: Setup) {
        self.setup.send_replace(Arc::new(setup));
    }
}

fn fault(broken: Option<String>) -> Message {
    Message::Box(BoxEvent::Fault {
        part: "page".into(),
        active: broken.is_some(),
        reason: broken.unwrap_or_else(|| "it works again".into()),
    })
}

fn on_own_runtime(sources: Sources, setup: Receiver<Arc<Setup>>, stop: &CancellationToken) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build();
    let messages = sources.messages.clone();
    match runtime {
        Ok(runtime) => {
            runtime.block_on(stop.run_until_cancelled(run(sources, setup)));
            runtime.shutdown_background();
        }
        Err(error) => {
            let _ = messages.try_send(fault(Some(format!("no runtime for the page: {error}"))));
        }
    }
}

/// Listens, serves, and begins anew when the address changed or something broke.
async fn run(sources: Sources, mut setup: Receiver<Arc<Setup>>) {
    let messages = sources.messages.clone();
    let view = View::start(sources, setup.clone());
    let mut told = None;
    loop {
        let listen = setup.borrow_and_update().household.web.listen;
        let broken = match TcpListener::bind(listen).await {
            Ok(listener) => {
                tracing::info!(%listen, "the page is served");
                if told.take().is_some() {
                    let _ = messages.send(fault(None)).await;
                }
                serve(listener, view.clone(), &mut setup, listen).await
            }
            Err(error) => Some(format!("{listen}: {error}; free the port or set [web] listen")),
        };
        let Some(broken) = broken else { continue };
        if told.as_ref() != Some(&broken) {
            let _ = messages.send(fault(Some(broken.clone()))).await;
            told = Some(broken);
        }
        tokio::select! {
            () = tokio::time::sleep(TRY_AGAIN) => {}
            _ = setup.changed() => {}
        }
    }
}

/// Serves until the address changes (`None`) or the server breaks.
async fn serve(
    listener: TcpListener,
    view: Arc<View>,
    setup: &mut Receiver<Arc<Setup>>,
    listen: SocketAddr,
) -> Option<String> {
    let stop = CancellationToken::new();
    // Ends the server also when this future is dropped.
    let _ends = stop.clone().drop_guard();
    let mut server =
        tokio::spawn(anju_web_setup::serve(listener, view, Limits::default(), stop.clone()));
    loop {
        tokio::select! {
            ended = &mut server => {
                let why = ended.err().map_or_else(|| "it ended".to_owned(), |e| e.to_string());
                return Some(format!("the page's server: {why}"));
            }
            changed = setup.changed() => {
                if changed.is_err() {
                    // Nobody can change it any more; the box is stopping.
                    std::future::pending::<()>().await;
                }
                if setup.borrow_and_update().household.web.listen != listen {
                    stop.cancel();
                    let _ = server.await;
                    return None;
                }
            }
        }
    }
}
