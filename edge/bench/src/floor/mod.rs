//! The floors: the least that any program must do for the same work, written as plainly as it can
//! be. Each that is a process of its own says `ready` on stdout.

pub mod echo;
pub mod publisher;
pub mod store;

use std::io::{Read, Write};

/// Tells the bench that measuring may begin.
pub fn say_ready() {
    println!("ready");
    // Nobody reads it: then nobody measures.
    let _ = std::io::stdout().flush();
}

/// Waits until the bench lets go.
pub fn wait_for_end() {
    let mut nothing = [0];
    while matches!(std::io::stdin().read(&mut nothing), Ok(1..)) {}
}
