//! Reads TOML whose syntax may be broken. What is broken is told and blanked out, line by line or
//! table by table, so that the rest keeps its meaning and its places. It must never let keys slip
//! from a table with a broken heading into the table before it.

use std::ops::Range;

use toml_edit::Document;

use super::fault::Faults;

/// Broken lines of one table that are blanked out before the whole table is.
const LINES_PER_TABLE: usize = 4;

/// Broken tables before the rest of the text is given up; bounds the time spent.
const MOST_BROKEN: usize = 32;

/// Parses the text; `None` if nothing in it can be used.
pub(super) fn parse(text: &str, faults: &mut Faults<'_>) -> Option<Document<String>> {
    let Err(error) = Document::parse(text.to_owned()) else {
        return Document::parse(text.to_owned()).ok();
    };
    let mut remaining = text.to_owned();
    let mut told = 0;
    for part in parts(text) {
        let broken = mend_part(&mut remaining, part.clone(), faults);
        if broken {
            faults.mark_broken(part);
            told += 1;
        }
        if told >= MOST_BROKEN {
            break;
        }
    }
    if told == 0 {
        tell(&error, 0, faults);
    }
    // What is left can only contradict itself between tables, such as one that is there twice.
    for _ in 0..MOST_BROKEN {
        match Document::parse(remaining.clone()) {
            Ok(document) => return Some(document),
            Err(error) => {
                let at = tell(&error, 0, faults);
                let part = parts(&remaining).into_iter().find(|part| part.contains(&at))?;
                faults.mark_broken(part.clone());
                remaining = blanked(&remaining, part)?;
            }
        }
    }
    None
}

/// Blanks out what is broken within one table; whether anything was.
fn mend_part(text: &mut String, part: Range<usize>, faults: &mut Faults<'_>) -> bool {
    for tries in 0..=LINES_PER_TABLE {
        let Some(chunk) = text.get(part.clone()) else { return true };
        let Err(error) = Document::parse(chunk.to_owned()) else { return tries > 0 };
        let at = tell(&error, part.start, faults);
        let line = line_around(text, at.clamp(part.start, part.end.saturating_sub(1)));
        let heading = line.start <= part.start && chunk.trim_start().starts_with('[');
        let lost = if heading || tries == LINES_PER_TABLE { part.clone() } else { line };
        match blanked(text, lost) {
            Some(rest) => *text = rest,
            None => return true,
        }
    }
    true
}

fn tell(error: &toml_edit::TomlError, offset: usize, faults: &mut Faults<'_>) -> usize {
    let at = error.span().map_or(0, |span| span.start) + offset;
    let message: Vec<&str> = error.message().lines().map(str::trim).collect();
    let message = if message.is_empty() { "not TOML".to_owned() } else { message.join(", ") };
    faults.add(at, "", message, "mend the syntax of this line; see https://toml.io");
    at
}

/// The text cut before each line that looks like a heading.
fn parts(text: &str) -> Vec<Range<usize>> {
    let mut starts = vec![0];
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if offset > 0 && is_heading(line) {
            starts.push(offset);
        }
        offset += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain(std::iter::once(text.len()));
    starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
}

/// Loosely: a heading with a mistake in it is one too, an element of a list over several lines not.
fn is_heading(line: &str) -> bool {
    let line = line.trim();
    let name = line.trim_start_matches('[');
    line.starts_with('[')
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && !line.ends_with(',')
}

fn line_around(text: &str, at: usize) -> Range<usize> {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |newline| newline + 1);
    let after = text.as_bytes().get(at..).unwrap_or_default();
    let end = after.iter().position(|b| *b == b'\n').map_or(text.len(), |newline| at + newline);
    start..end
}

/// The text with a range as spaces, every other place unchanged; `None` if it was blank already.
fn blanked(text: &str, range: Range<usize>) -> Option<String> {
    let lost = text.get(range.clone())?;
    // Only what this made: other white space, such as a vertical tab, is no TOML.
    if lost.bytes().all(|b| matches!(b, b' ' | b'\n')) {
        return None;
    }
    let blank: String = lost.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect();
    Some(format!("{}{blank}{}", text.get(..range.start)?, text.get(range.end..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn salvaged(text: &str) -> (Vec<usize>, String) {
        let mut faults = Faults::new(text);
        let document = parse(text, &mut faults);
        let rest = document.map(|d| d.into_mut().to_string()).unwrap_or_default();
        let kept: Vec<&str> = rest.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
        (faults.finish("f").iter().map(|f| f.line).collect(), kept.join("|"))
    }

    #[test]
    fn a_broken_line_loses_itself() {
        let (lines, kept) = salvaged("a = 1\n[x]\nb = = 2\nc = 3\n[y]\nd = \"open\ne = 5\n");
        assert_eq!(lines, [3, 6]);
        assert_eq!(kept, "a = 1|[x]|c = 3|[y]|e = 5");
    }

    #[test]
    fn a_broken_heading_loses_its_table_and_no_other() {
        let (lines, kept) = salvaged("[x]\na = 1\n[[y]\nb = 2\n[z]\nc = 3\n");
        assert_eq!(lines, [3]);
        assert_eq!(kept, "[x]|a = 1|[z]|c = 3");
    }

    #[test]
    fn a_table_that_is_there_twice_counts_once() {
        let (lines, kept) = salvaged("[x]\na = 1\n[x]\na = 2\n[y]\nb = 3\n");
        assert_eq!(lines, [3]);
        assert_eq!(kept, "[x]|a = 1|[y]|b = 3");
    }

    #[test]
    fn white_space_that_is_none_to_toml_loses_its_line() {
        let (lines, kept) = salvaged("\u{b}\n[x]\na = 1\n");
        assert_eq!(lines, [1]);
        assert_eq!(kept, "[x]|a = 1");
    }

    #[test]
    fn what_is_not_toml_at_all_gives_nothing_and_ends() {
        let (lines, _) = salvaged(&"{\"json\": [1,\n".repeat(2000));
        assert!(!lines.is_empty());
    }
}
