//! The daemon: whether it runs, and what its journal holds. That it does not run is no fault of
//! what is looked at here, but the home is not guarded then.

use std::sync::Arc;

use super::{Case, Finding, not_applicable, ok, problem};

pub(super) async fn check(case: Arc<Case>) -> Vec<Finding> {
    let data = case.data.display();
    if let Some(figures) = &case.running {
        return vec![ok("", format!("it runs on {data}; journal: {figures}"))];
    }
    let socket = crate::control::path(&case.data);
    if socket.exists() {
        let what = format!("{} is there, but nobody answers on it", socket.display());
        let mend =
            "run this as the daemon's user or root; else restart it: `systemctl restart anju`";
        return vec![problem("", what, mend)];
    }
    let what = format!("none runs on {data}; start it with `systemctl start anju`");
    vec![not_applicable(what)]
}
