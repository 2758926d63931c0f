//! Arguments that several commands have.

use std::path::PathBuf;

use clap::Args;

/// `--data`.
#[derive(Debug, Args)]
pub struct Data {
    /// The data folder.
    #[arg(id = "data", long = "data", value_name = "DATA", default_value = "/var/lib/anju")]
    pub folder: PathBuf,
}

/// `--config`.
#[derive(Debug, Args)]
pub struct Config {
    /// The configuration.
    #[arg(
        id = "config",
        long = "config",
        value_name = "CONFIG",
        default_value = "/etc/anju/anju.toml"
    )]
    pub file: PathBuf,
}

/// `--by`.
#[derive(Debug, Args)]
pub struct By {
    /// Who.
    #[arg(id = "by", long = "by", value_name = "BY", default_value = "command-line")]
    pub who: String,
}
