//! Collects faults with their places in the text.

use super::Fault;

/// The text and the faults found in it.
pub struct Places<'t> {
    text: &'t str,
    faults: Vec<(usize, Fault)>,
}

impl<'t> Places<'t> {
    /// No faults yet.
    pub const fn new(text: &'t str) -> Self {
        Self { text, faults: Vec::new() }
    }

    /// Adds a fault at a byte offset.
    pub fn fault(&mut self, at: Option<usize>, path: &str, message: &str, mend: &str) {
        let mut at = at.unwrap_or(0).min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let before = self.text.get(..at).unwrap_or("");
        let line = before.matches('\n').count() + 1;
        let col = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        let fault = Fault {
            line,
            col,
            path: path.to_owned(),
            message: message.to_owned(),
            mend: mend.to_owned(),
        };
        self.faults.push((at, fault));
    }

    /// How many faults there are.
    pub fn count(&self) -> usize {
        self.faults.len()
    }

    /// All faults in the order of the text.
    pub fn into_faults(mut self) -> Vec<Fault> {
        self.faults.sort_by_key(|(at, _)| *at);
        self.faults.into_iter().map(|(_, fault)| fault).collect()
    }
}
