//! The configuration: readable, and without a fault.

use std::sync::Arc;

use super::{Case, Finding, ok, problem};

pub(super) async fn check(case: Arc<Case>) -> Vec<Finding> {
    let name = case.config.display().to_string();
    if let Some(error) = &case.unreadable {
        let what = format!("{name} can not be read: {error}");
        return vec![problem("", what, "give its path with --config, or write one (README)")];
    }
    let faults = &case.faults;
    if faults.is_empty() {
        return vec![ok("", format!("{name} is sound"))];
    }
    let told = |fault: &anju_model::config::Fault| {
        problem("", format!("{name}:{}:{}: {}", fault.line, fault.col, fault.message), &fault.mend)
    };
    faults.iter().map(told).collect()
}
