//! Logs: to systemd's journal when run by it, else to stderr. `RUST_LOG` filters. Secrets and what
//! people say never go here.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Begins to log.
pub fn begin() {
    // The clients log each reconnect by themselves; ours say it once.
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,rumqttc=error,rumqttd=error,sled=warn,tokio_modbus=off,symphonia=warn,symphonia_core=warn,symphonia_format_ogg=warn"));
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
}
