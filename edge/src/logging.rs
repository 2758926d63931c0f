//! Logs: to systemd's journal when run by it, else to stderr. `RUST_LOG` filters. Secrets and what
//! people say never go here.

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Begins to log.
pub fn begin() {
    let asked = std::env::var("RUST_LOG").ok().filter(|asked| !asked.is_empty());
    let (filter, refused) = match asked.map(|asked| asked.parse::<Targets>()) {
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => (usual(), Some(error)),
        None => (usual(), None),
    };
    let registry = tracing_subscriber::registry().with(filter);
    let by_systemd = std::env::var_os("JOURNAL_STREAM").is_some();
    let journald = by_systemd.then(tracing_journald::layer).and_then(Result::ok);
    let done = match journald {
        Some(layer) => registry.with(layer).try_init(),
        None => {
            registry.with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr)).try_init()
        }
    };
    if let Err(error) = done {
        eprintln!("anju: logging could not begin: {error}");
    }
    if let Some(error) = refused {
        tracing::warn!(%error, "RUST_LOG is not understood; write `level` or `part=level,...`");
    }
}

/// The libraries log each reconnect by themselves; ours say it once.
fn usual() -> Targets {
    Targets::new()
        .with_default(Level::INFO)
        .with_targets([("rumqttc", Level::ERROR), ("rumqttd", Level::ERROR)])
        .with_targets([("sled", Level::WARN), ("symphonia", Level::WARN)])
        .with_target("tokio_modbus", LevelFilter::OFF)
}
