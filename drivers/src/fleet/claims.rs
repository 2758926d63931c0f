//! Who has which pin, port or radio, so that two drivers never share one.

use std::collections::HashMap;

use thiserror::Error;

use crate::driver::Claim;

/// Two drivers want the same.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{wanted_by} and {held_by} both need {claim}; give each its own in the configuration")]
pub struct Conflict {
    /// What.
    pub claim: Claim,
    /// Who has it.
    pub held_by: String,
    /// Who came later.
    pub wanted_by: String,
}

/// The claims of the running drivers.
#[derive(Debug, Default)]
pub struct Claims {
    held: HashMap<Claim, String>,
}

impl Claims {
    /// Takes all of `claims` for `name`, or none.
    ///
    /// # Errors
    /// [`Conflict`] for the first one that another driver has.
    pub fn take(&mut self, name: &str, claims: Vec<Claim>) -> Result<(), Conflict> {
        for claim in &claims {
            if let Some(holder) = self.held.get(claim) {
                return Err(Conflict {
                    claim: claim.clone(),
                    held_by: holder.clone(),
                    wanted_by: name.to_owned(),
                });
            }
        }
        self.held.extend(claims.into_iter().map(|claim| (claim, name.to_owned())));
        Ok(())
    }

    /// Frees all that `name` had.
    pub fn release(&mut self, name: &str) {
        self.held.retain(|_, holder| holder != name);
    }
}
