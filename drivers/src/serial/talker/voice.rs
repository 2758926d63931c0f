//! Offline voice-recognition modules. There is no standard: each make has a frame with the number of
//! the word it heard in it. So the frame is a pattern of the configuration, and so is what each
//! number means. The usual pattern is that of the Chipintelli CI130X modules,
//! `A5 FA 00 81 word 00 sum FB`. A word is a fact; whether help is called is for the rules, which
//! ask the person first.

use std::time::Duration;

use anju_model::Fact;
use anju_model::config::{VoiceMeaning, VoiceWord};
use anju_model::observation::{Help, HelpState};

use super::{Heard, Talker};
use crate::serial::stream::{BadFrame, sum};

/// Bits a second, 8N1.
pub const BAUD: u32 = 9600;

/// The pattern of the CI130X modules.
pub const USUAL: &str = "A5 FA 00 81 ID .. SUM FB";

/// Longest pattern, bytes.
const MOST: usize = 32;

/// One byte of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// This byte.
    Is(u8),
    /// Any byte.
    Any,
    /// The word's number.
    Id,
    /// The low byte of the sum of all bytes before it.
    Sum,
}

/// Why a pattern can not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// A part that is none.
    #[error("frame: `{0}` is no part of a pattern; use two hexadecimal digits, ID, SUM or ..")]
    Part(String),
    /// Without a beginning or a word there is nothing to find.
    #[error("frame: a pattern begins with two hexadecimal digits, has one ID and at most 32 parts")]
    Form,
}

/// What a frame looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
}

impl Pattern {
    /// Reads a pattern: bytes as two hexadecimal digits, `ID`, `SUM`, and `..` for any byte.
    ///
    /// # Errors
    /// [`BadPattern`] names the part.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let part = |word: &str| match word {
            "ID" => Ok(Part::Id),
            "SUM" => Ok(Part::Sum),
            ".." => Ok(Part::Any),
            hex if hex.len() == 2 => u8::from_str_radix(hex, 16).map(Part::Is).map_err(|_| ()),
            _ => Err(()),
        };
        let parts: Result<Vec<Part>, BadPattern> = text
            .split_whitespace()
            .map(|word| part(word).map_err(|()| BadPattern::Part(word.chars().take(8).collect())))
            .collect();
        let parts = parts?;
        let ids = parts.iter().filter(|part| **part == Part::Id).count();
        let begins = matches!(parts.first(), Some(Part::Is(_)));
        if !begins || ids != 1 || parts.len() > MOST {
            return Err(BadPattern::Form);
        }
        Ok(Self { parts })
    }

    /// What the bytes from a start on are: a word's number, damaged, nothing, or not yet known.
    fn step(&self, bytes: &[u8]) -> Found {
        let mut id = None;
        for (at, part) in self.parts.iter().enumerate() {
            let Some(byte) = bytes.get(at).copied() else { return Found::Unfinished };
            match part {
                Part::Is(wanted) if *wanted != byte => return Found::Nothing,
                Part::Sum => {
                    let computed = sum(bytes.get(..at).unwrap_or_default());
                    if computed != byte {
                        return Found::Bad(BadFrame::CheckSum { found: byte, computed });
                    }
                }
                Part::Id => id = Some(byte),
                Part::Is(_) | Part::Any => {}
            }
        }
        id.map_or(Found::Nothing, Found::Word)
    }
}

enum Found {
    Word(u8),
    Bad(BadFrame),
    Nothing,
    Unfinished,
}

/// A voice module.
#[derive(Debug)]
pub struct Voice {
    pattern: Pattern,
    words: Vec<VoiceWord>,
    held: Vec<u8>,
}

impl Voice {
    /// A module whose frames look so, with the meaning of its words.
    ///
    /// # Errors
    /// [`BadPattern`] when the pattern can not be used.
    pub fn new(pattern: Option<&str>, words: &[VoiceWord]) -> Result<Self, BadPattern> {
        let pattern = Pattern::parse(pattern.unwrap_or(USUAL))?;
        Ok(Self { pattern, words: words.to_vec(), held: Vec::new() })
    }

    fn fact(&self, id: u8) -> Option<Fact> {
        let word = self.words.iter().find(|word| word.id == id)?;
        let state = match word.meaning {
            VoiceMeaning::Help => HelpState::Pressed,
            VoiceMeaning::No => HelpState::Cancelled,
        };
        Some(Help { state, gesture: None, phrase: Some(word.phrase.clone()) }.into())
    }
}

impl Talker for Voice {
    fn hear(&mut self, bytes: &[u8]) -> Heard {
        let mut heard = Heard::default();
        for byte in bytes {
            self.held.push(*byte);
            loop {
                match self.pattern.step(&self.held) {
                    Found::Unfinished => break,
                    Found::Word(id) => {
                        self.held.clear();
                        heard.sound = heard.sound.saturating_add(1);
                        heard.facts.extend(self.fact(id));
                        break;
                    }
                    Found::Bad(why) => {
                        heard.damaged.push(why);
                        self.held.remove(0);
                    }
                    Found::Nothing => {
                        self.held.remove(0);
                    }
                }
                if self.held.is_empty() {
                    break;
                }
            }
        }
        heard
    }

    fn silence(&self) -> Option<Duration> {
        None
    }
}
