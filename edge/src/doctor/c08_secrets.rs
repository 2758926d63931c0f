//! Files with secrets: there, not empty, and readable by nobody but the box. What stands in them is
//! not looked at.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use super::{Case, Finding, not_applicable, ok, problem};

pub(super) async fn check(case: Arc<Case>) -> Vec<Finding> {
    let files = case.household.as_ref().map(|home| home.secret_files()).unwrap_or_default();
    if files.is_empty() {
        return vec![not_applicable("the configuration names no file with a secret")];
    }
    files.iter().map(|file| look(file)).collect()
}

fn look(file: &Path) -> Finding {
    let name = file.display().to_string();
    let found = match std::fs::metadata(file) {
        Ok(found) => found,
        Err(error) => {
            let mend = "write the secret into it, or mend its path in the configuration";
            return problem(name, error.to_string(), mend);
        }
    };
    if !found.is_file() || found.len() == 0 {
        return problem(name, "it holds nothing", "write the secret into it");
    }
    if found.mode() & 0o007 != 0 {
        let mend = format!("chmod 0640 {} and chgrp anju {}", file.display(), file.display());
        return problem(name, "every user of this machine may use it", mend);
    }
    match rustix::fs::access(file, rustix::fs::Access::READ_OK) {
        Ok(()) => ok(name, "is there, for the box only"),
        Err(_) => {
            let mend = format!("chgrp anju {} and chmod 0640 {}", file.display(), file.display());
            problem(name, "this user may not read it", mend)
        }
    }
}
