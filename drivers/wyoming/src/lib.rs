//! Wyoming's events on a stream: a line of JSON with `type`, `data` and two lengths, then that many
//! bytes of further data, then that many of payload (the README of rhasspy/wyoming, "Format"). No
//! I/O. Payload is sound: it is passed over and never kept, save where a spoken answer was asked
//! for.

use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;

/// Longest line, and most further data, bytes.
const MOST: usize = 256 * 1024;
/// Most payload of one event, bytes: some seconds of sound.
const MOST_PAYLOAD: usize = 1024 * 1024;

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its type.
    pub kind: String,
    /// What it says.
    pub data: Map<String, Value>,
    /// Its payload, where the decoder keeps it.
    pub payload: Vec<u8>,
}

/// An event as it goes over the wire.
pub fn encode(kind: &str, data: &Value, payload: &[u8]) -> Vec<u8> {
    let mut header = Map::new();
    header.insert("type".to_owned(), kind.into());
    if !data.is_null() {
        header.insert("data".to_owned(), data.clone());
    }
    if !payload.is_empty() {
        header.insert("payload_length".to_owned(), payload.len().into());
    }
    let mut bytes = Value::Object(header).to_string().into_bytes();
    bytes.push(b'\n');
    bytes.extend_from_slice(payload);
    bytes
}

/// Why a stream can not be followed any more.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadStream {
    /// No line of JSON with a type.
    #[error(
        "it sent a line that is no Wyoming event; look whether the port is a Wyoming service's"
    )]
    Header,
    /// Further data that is no JSON object.
    #[error("it sent data that is no JSON object")]
    Data,
    /// Too much at once.
    #[error("it sent an event of more than {MOST_PAYLOAD} bytes")]
    Size,
}

#[derive(Deserialize)]
struct Header {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: Option<Map<String, Value>>,
    #[serde(default)]
    data_length: Option<usize>,
    #[serde(default)]
    payload_length: Option<usize>,
}

/// Events out of bytes as they come.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// An event whose further data, of that many bytes, is still to come, and its payload after it.
    begun: Option<(Event, usize, usize)>,
    /// Payload still to be passed over.
    skip: usize,
    keeps: bool,
}

impl Decoder {
    /// A decoder that keeps payloads and gives an event once its own is there.
    pub fn that_keeps_sound() -> Self {
        Self { keeps: true, ..Self::default() }
    }

    /// Takes bytes; gives the events that are complete, their payload perhaps still to come.
    ///
    /// # Errors
    /// [`BadStream`]: where the next event begins is not known any more.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Event>, BadStream> {
        self.buffer.extend_from_slice(bytes);
        let mut events = Vec::new();
        loop {
            let passed = self.skip.min(self.buffer.len());
            self.buffer.drain(..passed);
            self.skip -= passed;
            if self.skip > 0 {
                return Ok(events);
            }
            match self.next()? {
                Some(event) => events.push(event),
                None => return Ok(events),
            }
        }
    }

    fn next(&mut self) -> Result<Option<Event>, BadStream> {
        let begun = match self.begun.take() {
            Some(begun) => begun,
            None => match self.header()? {
                Some(begun) => begun,
                None => return Ok(None),
            },
        };
        let (mut event, length, payload) = begun;
        let kept = if self.keeps { payload } else { 0 };
        if self.buffer.len() < length + kept {
            self.begun = Some((event, length, payload));
            return Ok(None);
        }
        if length > 0 {
            let more: Map<String, Value> =
                serde_json::from_slice(self.buffer.get(..length).unwrap_or_default())
                    .map_err(|_| BadStream::Data)?;
            self.buffer.drain(..length);
            event.data.extend(more);
        }
        event.payload = self.buffer.drain(..kept).collect();
        self.skip = payload - kept;
        Ok(Some(event))
    }

    fn header(&mut self) -> Result<Option<(Event, usize, usize)>, BadStream> {
        let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') else {
            return if self.buffer.len() > MOST { Err(BadStream::Size) } else { Ok(None) };
        };
        let line: Vec<u8> = self.buffer.drain(..=end).collect();
        if line.len() > MOST {
            return Err(BadStream::Size);
        }
        let header: Header = serde_json::from_slice(&line).map_err(|_| BadStream::Header)?;
        let length = header.data_length.unwrap_or(0);
        let payload = header.payload_length.unwrap_or(0);
        if length > MOST || payload > MOST_PAYLOAD {
            return Err(BadStream::Size);
        }
        let data = header.data.unwrap_or_default();
        let event = Event { kind: header.kind, data, payload: Vec::new() };
        Ok(Some((event, length, payload)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn sound_is_kept_only_where_it_is_wanted() {
        let start = json!({"rate": 22050, "width": 2, "channels": 1});
        let mut bytes = encode("audio-start", &start, b"");
        bytes.extend(encode("audio-chunk", &start, &[1, 2, 3, 4]));
        bytes.extend(encode("audio-stop", &Value::Null, b""));
        let kinds = |events: &[Event]| -> Vec<(String, usize)> {
            events.iter().map(|e| (e.kind.clone(), e.payload.len())).collect()
        };
        let named = |kept| {
            [("audio-start", 0), ("audio-chunk", kept), ("audio-stop", 0)]
                .map(|(kind, length)| (kind.to_owned(), length))
        };
        let kept = Decoder::that_keeps_sound().feed(&bytes).unwrap();
        assert_eq!(kinds(&kept), named(4));
        assert_eq!(kept[1].payload, [1, 2, 3, 4]);
        assert_eq!(kept[1].data["rate"], 22050);
        assert_eq!(kinds(&Decoder::default().feed(&bytes).unwrap()), named(0));
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_are_the_same_events(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 1..6),
            piece in 1_usize..40,
        ) {
            let mut bytes = Vec::new();
            for payload in &payloads {
                bytes.extend(encode("audio-chunk", &json!({"rate": 16000}), payload));
            }
            let mut decoder = Decoder::that_keeps_sound();
            let mut events = Vec::new();
            for part in bytes.chunks(piece) {
                events.extend(decoder.feed(part).unwrap());
            }
            let found: Vec<_> = events.into_iter().map(|event| event.payload).collect();
            prop_assert_eq!(found, payloads);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Decoder::that_keeps_sound().feed(&bytes);
        }
    }
}
