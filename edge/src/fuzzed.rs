//! What the fuzzers and the replay of their corpora feed: one function for each parser of the
//! daemon's that reads bytes from outside. Each takes any bytes; it checks what must hold whatever
//! they are, and fails by panicking. Nothing of the product calls these. A new parser adds a
//! function, a line in [`TARGETS`], a file in `fuzz/fuzz_targets` with its `[[bin]]`, and some
//! seeds in `fuzz/corpus`.

use std::sync::{Arc, LazyLock};

use anju_drivers::plan;
use anju_guard::Guard;
use anju_journal::{MAX_BODY, Number, record as stored};
use anju_model::config::{self, Household};
use anju_model::{Body, Clock, Language, Moment, Stamp, Timeline, entry as entries};
use anju_respond::life::{Book, Input};
use anju_respond::out::ntfy::wire;
use anju_respond::texts::Texts;
use jiff::Timestamp;

use crate::ask::Ask;

/// A target: its name, which is also the name of its corpus, and what it feeds.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("command", command),
    ("config", config),
    ("control", control),
    ("entry", entry),
    ("name_server", anju_uplinks::fuzzed),
    ("ntfy", ntfy),
    ("ntfy_replies", wire::fuzzed),
    ("record", record),
    ("robot_answer", anju_respond::out::robot::fuzzed),
    ("sms_answer", anju_respond::out::sms::fuzzed),
    ("voice_answer", anju_respond::out::speaker::tts::fuzzed),
];

/// A home to judge entries in.
const HOME: &str = include_str!("../fuzz/home.toml");

/// Made once: the fuzzer is here for entries, not for this.
static TEXTS: LazyLock<Arc<Texts>> = LazyLock::new(|| Arc::new(Texts::new(Language::ZhCn)));
static HOUSEHOLD: LazyLock<Option<Arc<Household>>> =
    LazyLock::new(|| config::parse(HOME, "home.toml").household.map(Arc::new));

/// A payload of the command topic, with each kind of clock. A retained one never passes.
pub fn command(bytes: &[u8]) {
    let wall = Timestamp::constant(1_795_439_045, 0);
    for clock in [Clock::Synchronised, Clock::Estimated, Clock::Unknown] {
        let now = Stamp { boot: "fuzz".into(), mono_ms: 1, wall, clock };
        assert!(anju_upstream::command::parse(bytes, true, &now).is_err());
        match anju_upstream::command::parse(bytes, false, &now) {
            Ok(request) => assert!(!request.id.is_empty() && request.id.len() <= 200),
            Err(refused) => {
                let why = refused.refusal.to_string();
                let reply = anju_upstream::command::reply(refused.id.as_deref(), &Err(why));
                assert!(reply.len() < 64 * 1024, "a reply of {} bytes", reply.len());
            }
        }
    }
}

/// A configuration file: whatever it says, the daemon can start with what is sound of it.
pub fn config(bytes: &[u8]) {
    let parsed = config::parse_bytes(bytes, "fuzz.toml", &|_, _, _| true);
    assert!(parsed.faults.len() <= config::MAX_FAULTS + 1);
    for fault in &parsed.faults {
        assert!(fault.line >= 1 && fault.col >= 1 && !fault.message.contains('\n'));
    }
    if let Some(household) = parsed.household {
        let _ = plan::plan(&household);
        let household = Arc::new(household);
        let _ = Guard::new(household.clone());
        let _ = Book::new(household, TEXTS.clone()).resume(Moment::default());
    }
}

/// A line of the control socket.
pub fn control(bytes: &[u8]) {
    if let Err(why) = Ask::parse(bytes) {
        assert!(why.len() < 64 * 1024);
    }
}

/// Entries, one a line, as another version may have left them in the journal: the guard and the
/// book take them up at the start, and go on. What this version understands it writes in the same
/// sense again.
pub fn entry(bytes: &[u8]) {
    let Some(household) = HOUSEHOLD.clone() else { return };
    let mut guard = Guard::new(household.clone());
    let mut book = Book::new(household.clone(), TEXTS.clone());
    let mut line = Timeline::default();
    let mut last = None;
    for bytes in bytes.split(|byte| *byte == b'\n') {
        let Ok(entry) = entries::decode(bytes) else { continue };
        let (id, stamp) = (&entry.id, &entry.stamp);
        let again =
            entries::encode(&id.box_id, id.epoch, id.seq, stamp, &household.timezone, &entry.body);
        assert!(again.is_ok(), "what was read can not be written");
        let at = line.place(stamp);
        guard.recall(&entry);
        match &entry.body {
            Body::Alert(change) => book.recall(at, change),
            Body::Delivery(delivery) => book.recall_delivery(delivery),
            _ => {}
        }
        last = Some(entry.stamp);
    }
    let Some(stamp) = last else { return };
    let now = line.place(&stamp);
    book.set_clock(now, Some(stamp.wall));
    for finding in guard.overlooked() {
        let _ = book.handle(now, Input::Finding(finding));
    }
    let _ = book.resume(now);
    for finding in guard.advance(&stamp) {
        let _ = book.handle(now, Input::Finding(finding));
    }
    let _ = book.tick(now.after(std::time::Duration::from_secs(3600)));
}

/// The stream of ntfy's replies: in pieces as in one, and no token but one of 32 digits.
pub fn ntfy(bytes: &[u8]) {
    let whole = wire::Lines::default().feed(bytes);
    let mut lines = wire::Lines::default();
    let pieces: Vec<wire::Piece> = bytes.chunks(7).flat_map(|piece| lines.feed(piece)).collect();
    assert_eq!(whole, pieces, "lines depend on how the bytes are cut");
    for piece in whole {
        let wire::Piece::Line(line) = piece else { continue };
        assert!(line.len() <= wire::MAX_LINE_BYTES);
        if let wire::Line::Message { id, body } = wire::parse_line(&line) {
            assert!(wire::is_message_id(&id));
            if let Some(token) = wire::Token::parse(&body) {
                assert_eq!(token.reveal(), body.trim_ascii());
            }
        }
    }
}

/// Bytes where the journal keeps a record: what passes is what was written, to the last byte.
pub fn record(bytes: &[u8]) {
    if let Ok((number, body)) = stored::decode(bytes) {
        let mut again = Vec::new();
        stored::encode_into(&mut again, number, body);
        assert_eq!(again, bytes);
    }
    let body = bytes.get(..MAX_BODY).unwrap_or(bytes);
    let number = Number { epoch: bytes.len() as u64, seq: u64::MAX };
    let mut whole = Vec::new();
    stored::encode_into(&mut whole, number, body);
    assert_eq!(stored::decode(&whole), Ok((number, body)));
    // Any single byte that changes is noticed.
    let at = body.first().map_or(0, |byte| usize::from(*byte)) % whole.len();
    if let Some(byte) = whole.get_mut(at) {
        *byte ^= 0x40;
    }
    assert!(stored::decode(&whole).is_err(), "a changed byte at {at} passed");
}
