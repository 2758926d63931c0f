//! Wyoming's events on a stream: a line of JSON with `type`, `data` and two lengths, then that many
//! bytes of further data, then that many of payload (the README of rhasspy/wyoming, "Format"). No
//! I/O. Payload is sound; it is passed over and never kept.

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
}

impl Decoder {
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
        if self.buffer.len() < length {
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
        self.skip = payload;
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
        let event = Event { kind: header.kind, data: header.data.unwrap_or_default() };
        Ok(Some((event, length, payload)))
    }
}
