//! What is wrong with a configuration, where, and what mends it. A fault must never repeat a
//! secret that somebody wrote into the file.

use std::fmt;

/// Most faults that are listed; a file with more is not a configuration.
pub const MAX_FAULTS: usize = 500;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Fault {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub col: usize,
    /// Where in the structure, such as `device.sos.pin`; the file's name where it is about no key.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What mends it.
    pub mend: String,
}

impl fmt::Display for Fault {
    /// `LINE:COL: what is wrong; the mend`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; {}", self.line, self.col, self.message, self.mend)
    }
}

/// Collects the faults of one text.
#[derive(Debug)]
pub(super) struct Faults<'t> {
    lines: Lines<'t>,
    /// Byte ranges whose syntax is broken: what is missing in their tables was told already.
    broken: Vec<std::ops::Range<usize>>,
    list: Vec<Fault>,
    warnings: Vec<Fault>,
    more: bool,
}

impl<'t> Faults<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            lines: Lines::new(text),
            broken: Vec::new(),
            list: Vec::new(),
            warnings: Vec::new(),
            more: false,
        }
    }

    /// Adds a fault at a byte of the text.
    pub(super) fn add(
        &mut self,
        at: usize,
        path: impl Into<String>,
        message: impl Into<String>,
        mend: impl Into<String>,
    ) {
        if self.full() {
            self.more = true;
            return;
        }
        let (line, col) = self.lines.position(at);
        let fault = Fault {
            line,
            col,
            path: one_line(path.into()),
            message: one_line(message.into()),
            mend: one_line(mend.into()),
        };
        if !self.list.contains(&fault) {
            self.list.push(fault);
        }
    }

    /// Adds what is allowed and not advised, at a byte of the text.
    pub(super) fn warn(&mut self, at: usize, path: String, message: String, mend: &str) {
        if self.warnings.len() < MAX_FAULTS {
            let (line, col) = self.lines.position(at);
            let (message, mend) = (one_line(message), mend.to_owned());
            self.warnings.push(Fault { line, col, path: one_line(path), message, mend });
        }
    }

    /// All warnings so far, in the order of the text.
    pub(super) fn warnings(&mut self) -> Vec<Fault> {
        let mut warnings = std::mem::take(&mut self.warnings);
        warnings.sort_by_key(|warning| (warning.line, warning.col));
        warnings
    }

    /// Whether there is none so far.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether no more faults are listed.
    pub(super) fn full(&self) -> bool {
        self.list.len() >= MAX_FAULTS
    }

    /// Marks the part of the text around a fault of syntax.
    pub(super) fn mark_broken(&mut self, part: std::ops::Range<usize>) {
        self.broken.push(part);
    }

    /// Whether a table that begins there lies in a part with a fault of syntax.
    pub(super) fn is_broken(&self, at: usize) -> bool {
        self.broken.iter().any(|part| part.contains(&at))
    }

    /// The line of a byte, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.lines.position(at).0
    }

    /// All faults in the order of the text; those of no key are about the file itself.
    pub(super) fn finish(mut self, file: &str) -> Vec<Fault> {
        for fault in self.list.iter_mut().filter(|fault| fault.path.is_empty()) {
            fault.path = one_line(file.to_owned());
        }
        self.list.sort_by_key(|fault| (fault.line, fault.col));
        if self.more {
            self.list.push(Fault {
                line: 1,
                col: 1,
                path: one_line(file.to_owned()),
                message: format!("more than {MAX_FAULTS} faults; the rest is not listed"),
                mend: "mend the ones above first".to_owned(),
            });
        }
        self.list
    }
}

/// A quoted, shortened form of what somebody wrote, for a message.
pub(super) fn quote(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = text.chars().take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    format!("`{}`", one_line(short))
}

/// A fault is one line whatever the file says, so that no text in it can look like another fault.
fn one_line(text: String) -> String {
    if text.chars().any(char::is_control) {
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    } else {
        text
    }
}

/// Finds lines and columns.
#[derive(Debug)]
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
        Self { text, starts: starts.collect() }
    }

    fn position(&self, at: usize) -> (usize, usize) {
        let at = at.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= at);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.text.as_bytes().get(start..at).unwrap_or_default();
        // Continuation bytes of UTF-8 are not characters of their own.
        let chars = before.iter().filter(|byte| (**byte & 0xC0) != 0x80).count();
        (line.max(1), chars + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters() {
        let lines = Lines::new("a = 1\nname = \"女儿\" x\n");
        assert_eq!(lines.position(0), (1, 1));
        assert_eq!(lines.position(6), (2, 1));
        assert_eq!(lines.position(22), (2, 13));
        assert_eq!(lines.position(9999), (3, 1));
    }

    #[test]
    fn a_fault_stays_on_one_line_and_is_told_once() {
        let mut faults = Faults::new("x");
        for _ in 0..2 {
            faults.add(0, "p", format!("wrong {}", quote("a\nb:1:1: c")), "mend");
        }
        let list = faults.finish("f");
        assert_eq!(list.len(), 1);
        assert_eq!(list[0].to_string(), "1:1: wrong `a b:1:1: c`; mend");
    }

    #[test]
    fn the_list_ends() {
        let mut faults = Faults::new("x");
        for n in 0..MAX_FAULTS + 10 {
            faults.add(0, "p", format!("{n}"), "mend");
        }
        assert_eq!(faults.finish("f").len(), MAX_FAULTS + 1);
    }
}
