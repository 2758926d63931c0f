//! What comes over the reply topic, as pure functions: lines out of bytes, messages out of lines,
//! tokens out of messages. Anybody who knows the topic can write to it, so nothing here believes
//! a length, a character or a field. No input may panic or make it grow.

use std::fmt;

use serde::Deserialize;

/// Longest line that is looked at, in bytes; a reply is far shorter.
pub const MAX_LINE_BYTES: usize = 8 * 1024;

/// Longest message id, in bytes.
const MAX_ID_BYTES: usize = 64;

/// A one-time token: 128 random bits, written as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token([u8; 16]);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(secret)")
    }
}

impl Token {
    /// A fresh one.
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// Reads a token; blanks around it do not matter.
    pub fn parse(text: &str) -> Option<Self> {
        let (digits, rest) = text.trim_ascii().as_bytes().as_chunks::<2>();
        let digits: &[[u8; 2]; 16] = digits.try_into().ok().filter(|_| rest.is_empty())?;
        let mut bytes = [0; 16];
        for (byte, [high, low]) in bytes.iter_mut().zip(digits) {
            *byte = hex(*high)? << 4 | hex(*low)?;
        }
        Some(Self(bytes))
    }

    /// As it is written into a message. A secret.
    pub fn reveal(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// What a line of the stream says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// The stream is open or alive.
    Alive,
    /// A message.
    Message {
        /// The server's id of it.
        id: String,
        /// Its text.
        body: String,
    },
    /// Nothing that can be used.
    Malformed,
}

/// Reads one line of ntfy's JSON stream.
pub fn parse_line(line: &[u8]) -> Line {
    #[derive(Deserialize)]
    struct Event {
        #[serde(default)]
        id: String,
        event: String,
        #[serde(default)]
        message: String,
    }
    let Ok(event) = serde_json::from_slice::<Event>(line) else { return Line::Malformed };
    match event.event.as_str() {
        "open" | "keepalive" | "poll_request" => Line::Alive,
        "message" if is_message_id(&event.id) => {
            Line::Message { id: event.id, body: event.message }
        }
        _ => Line::Malformed,
    }
}

/// Whether a text can be a message's id; it goes into the URL of the next subscription.
pub fn is_message_id(id: &str) -> bool {
    (1..=MAX_ID_BYTES).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Puts lines together from pieces of any size. A line that is too long is passed over whole.
#[derive(Debug, Default)]
pub struct Lines {
    begun: Vec<u8>,
    too_long: bool,
}

/// A line, or the fact that one was too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A whole line without its end.
    Line(Vec<u8>),
    /// A line was longer than [`MAX_LINE_BYTES`].
    TooLong,
}

impl Lines {
    /// Takes the next bytes and gives every line that they complete. Empty lines are left out.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            let (line, after) = rest.split_at(end);
            self.take(line);
            rest = after.get(1..).unwrap_or_default();
            let line = std::mem::take(&mut self.begun);
            if std::mem::take(&mut self.too_long) {
                pieces.push(Piece::TooLong);
            } else if !line.trim_ascii().is_empty() {
                pieces.push(Piece::Line(line));
            }
        }
        self.take(rest);
        pieces
    }

    fn take(&mut self, bytes: &[u8]) {
        if self.too_long || self.begun.len() + bytes.len() > MAX_LINE_BYTES {
            self.too_long = true;
            self.begun = Vec::new();
        } else {
            self.begun.extend_from_slice(bytes);
        }
    }
}

/// Reads any bytes as a stream of replies, for fuzzing.
pub fn fuzzed(bytes: &[u8]) {
    // However the bytes are cut into pieces, the same lines must come out.
    let whole = Lines::default().feed(bytes);
    let (mut lines, mut pieces) = (Lines::default(), Vec::new());
    let size = usize::from(bytes.first().copied().unwrap_or(0)) + 1;
    bytes.chunks(size).for_each(|chunk| pieces.extend(lines.feed(chunk)));
    assert_eq!(whole, pieces);
    for piece in whole {
        if let Piece::Line(line) = piece
            && let Line::Message { id, body } = parse_line(&line)
        {
            assert!(is_message_id(&id));
            let _ = Token::parse(&body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tokens_round_trip_and_nothing_else_is_one() {
        let token = Token::random();
        assert_eq!(Token::parse(&format!(" {}\n", token.reveal())), Some(token));
        assert_ne!(token, Token::random());
        let good = token.reveal();
        for wrong in
            ["", &good[1..], &format!("{good}0"), &"G".repeat(32), &good.replace(|_| true, "é")]
        {
            assert_eq!(Token::parse(wrong), None, "{wrong}");
        }
        assert!(!format!("{token:?}").contains(&good));
    }

    #[test]
    fn lines_say_what_ntfy_documents() {
        let open = br#"{"id":"SLiKI64DOt","time":1635528757,"event":"open","topic":"mytopic"}"#;
        assert_eq!(parse_line(open), Line::Alive);
        let message = r#"{"id":"hwQ2YpKdmg","time":1635528741,"event":"message","topic":"t","message":"你好"}"#;
        let said = Line::Message { id: "hwQ2YpKdmg".into(), body: "你好".into() };
        assert_eq!(parse_line(message.as_bytes()), said);
        for wrong in [
            &b"{}"[..],
            b"[]",
            b"\xff",
            b"null",
            br#"{"event":"message","message":"no id"}"#,
            br#"{"id":"a b&c","event":"message"}"#,
            br#"{"id":1,"event":"message"}"#,
        ] {
            assert_eq!(parse_line(wrong), Line::Malformed);
        }
    }

    #[test]
    fn a_long_line_is_passed_over_and_the_next_is_read() {
        let mut lines = Lines::default();
        for _ in 0..100 {
            assert_eq!(lines.feed(&[b'x'; 1000]), []);
            assert!(lines.begun.capacity() <= 2 * MAX_LINE_BYTES);
        }
        assert_eq!(lines.feed(b"x\nshort\n\r\n"), [Piece::TooLong, Piece::Line(b"short".to_vec())]);
    }

    proptest! {
        #[test]
        fn pieces_do_not_depend_on_how_the_bytes_are_cut(
            text in "[a-c\n]{0,200}", cuts in prop::collection::vec(1_usize..40, 0..20)
        ) {
            let whole = Lines::default().feed(text.as_bytes());
            let (mut lines, mut parts, mut rest) = (Lines::default(), Vec::new(), text.as_bytes());
            for cut in cuts {
                let (now, later) = rest.split_at(cut.min(rest.len()));
                parts.extend(lines.feed(now));
                rest = later;
            }
            parts.extend(lines.feed(rest));
            prop_assert_eq!(whole, parts);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), text in ".{0,80}") {
            let _ = parse_line(&bytes);
            fuzzed(&bytes);
            let _ = Token::parse(&text);
        }
    }
}
