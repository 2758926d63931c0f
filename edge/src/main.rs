//! The `anju` command: the daemon and its tools. This file only parses the command line and hands
//! over.

mod acceptance;
mod allocator;
mod app;
mod cli;
mod clock;
mod control;
mod core;
mod data_budget;
mod data_folder;
#[cfg(feature = "demo")]
mod demo;
mod doctor;
mod export;
mod feeds;
mod health;
mod house;
mod logging;
mod page;
mod plan;
mod pulse;
mod recordings;
mod rescue;
mod restart;
mod sim_contract;
mod systemd;
mod uplinks;
mod upstream;
mod ways;

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    logging::begin();
    match cli::run(arguments) {
        Ok(code) => code,
        // Whoever reads has read enough.
        Err(cli::CliError::Io(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("anju: {error}");
            ExitCode::FAILURE
        }
    }
}
