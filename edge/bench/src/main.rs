//! `make bench`: the built product on real input, each figure beside a floor that was measured in
//! the same run, each bound checked. It measures on the machine as it is, so a bound is a ratio to
//! the floor wherever there can be one.

mod failure;
mod figures;
mod floor;
mod lab;
mod mqtt;
mod process;
mod scene;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::{Outcome, io};
use figures::Report;
use lab::Lab;

/// Measures the built `anju`.
#[derive(Debug, Parser)]
struct Arguments {
    /// The program to measure.
    #[arg(long, default_value = "target/release/anju")]
    anju: PathBuf,
    /// Where figures and temporary folders go.
    #[arg(long, default_value = "target")]
    target: PathBuf,
    /// A short form: fewer runs and smaller amounts.
    #[arg(long)]
    quick: bool,
    /// Only scenes whose name holds this.
    #[arg(long)]
    only: Option<String>,
    #[command(subcommand)]
    floor: Option<Floor>,
}

/// The floors, which the bench starts as processes of their own.
#[derive(Debug, Subcommand)]
enum Floor {
    #[command(hide = true)]
    Echo { port: u16, file: PathBuf },
    #[command(hide = true)]
    Publish { port: u16, count: usize },
    #[command(hide = true)]
    Hold { dir: PathBuf },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.floor {
        Some(Floor::Hold { dir }) => floor::store::hold(dir).map(|()| true),
        Some(Floor::Echo { port, file }) => {
            on_one_thread(floor::echo::run(*port, file)).map(|()| true)
        }
        Some(Floor::Publish { port, count }) => {
            on_one_thread(floor::publisher::run(*port, *count)).map(|()| true)
        }
        None => tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(io("making a runtime"))
            .and_then(|runtime| runtime.block_on(measure(&arguments))),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn on_one_thread(work: impl Future<Output = Outcome<()>>) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(io("making a runtime"))?.block_on(work)
}

/// Runs all scenes; whether every bound is held.
async fn measure(arguments: &Arguments) -> Outcome<bool> {
    let machine = process::machine();
    let anju = arguments.anju.canonicalize().map_err(io("the program to measure"))?;
    let lab = Lab::begin(anju, &arguments.target, arguments.quick)?;
    let wanted = |name: &str| arguments.only.as_ref().is_none_or(|only| name.contains(only));
    println!("{machine}\n{}", figures::head());
    let mut report = Report::default();
    if wanted("appends") {
        report.add(tokio::task::block_in_place(|| scene::appends::run(&lab))?);
    }
    if wanted("latency") {
        report.add(scene::latency::run(&lab).await?);
    }
    if wanted("burst") {
        report.add(scene::burst::run(&lab).await?);
    }
    if wanted("backlog") {
        report.add(scene::backlog::run(&lab).await?);
    }
    if wanted("memory") {
        report.add(scene::memory::run(&lab).await?);
    }
    if wanted("start") {
        report.add(scene::start::run(&lab).await?);
    }
    if wanted("home") {
        report.add(scene::home::run(&lab).await?);
    }
    let path: &Path = &arguments.target.join("bench.json");
    report.write(path, &machine)?;
    println!("figures with all runs: {}", path.display());
    if !report.holds() {
        println!("missed: {}", report.missed().join("; "));
    }
    Ok(report.holds())
}
