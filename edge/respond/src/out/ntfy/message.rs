//! A notice as the JSON that ntfy publishes (<https://docs.ntfy.sh/publish/#publish-as-json>).

use std::sync::Arc;

use anju_model::Class;
use serde_json::{Value, json};

use super::NtfySettings;
use super::keep::Keeper;
use super::ledger::{Act, Grant};
use crate::life::{Notice, NoticeKind};
use crate::texts::Texts;

/// Longest title and text, characters; ntfy takes 250 and 4096 bytes.
const LONGEST_TITLE: usize = 80;
const LONGEST_BODY: usize = 1000;

/// Writes messages.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    pub(super) settings: Arc<NtfySettings>,
    pub(super) texts: Arc<Texts>,
    pub(super) keeper: Arc<Keeper>,
}

impl Writer {
    /// The message for a notice; `None` if the contact has no topic.
    pub(super) fn message(&self, notice: &Notice) -> Option<Value> {
        let topic = self.settings.topics.get(&notice.contact)?;
        let words = if self.settings.details { &notice.full } else { &notice.discreet };
        let mut message = json!({
            "topic": topic,
            "title": shortened(&words.title, LONGEST_TITLE),
            "message": shortened(&words.body, LONGEST_BODY),
            "priority": priority(notice),
            "tags": tags(notice),
        });
        if notice.kind.answerable()
            && let Some(fields) = message.as_object_mut()
        {
            fields.insert("actions".to_owned(), self.actions(notice));
        }
        Some(message)
    }

    fn actions(&self, notice: &Notice) -> Value {
        let now = self.keeper.now();
        let granted = |act| {
            let grant = Grant { alert: notice.alert.clone(), contact: notice.contact.clone(), act };
            self.keeper.change(|ledger| ledger.grant(now, grant)).reveal()
        };
        let button = |name: &str, act| (self.texts.get(name), granted(act));
        let tokens = match notice.kind {
            NoticeKind::Trial => vec![button("button-received", Act::Accept)],
            _ => vec![button("button-accept", Act::Accept), button("button-arrived", Act::Arrived)],
        };
        let url = self.keeper.look(|ledger| format!("{}/{}", self.settings.url, ledger.topic));
        tokens
            .into_iter()
            .map(|(label, token)| {
                json!({
                    "action": "http",
                    "label": label,
                    "url": url,
                    "method": "POST",
                    "body": token,
                    "clear": false,
                })
            })
            .collect()
    }
}

fn shortened(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// ntfy's priorities: 5 rings through "do not disturb" on most phones.
const fn priority(notice: &Notice) -> u8 {
    match (notice.class, notice.kind) {
        (Class::Alarm, NoticeKind::Call | NoticeKind::Again | NoticeKind::Lapsed) => 5,
        (Class::Alarm, NoticeKind::CallBack | NoticeKind::Cancelled) => 4,
        (Class::Warning, kind) if kind.answerable() => 4,
        (Class::Alarm | Class::Warning | Class::Request, _) => 3,
        (Class::Fault, _) => 2,
    }
}

fn tags(notice: &Notice) -> Vec<&'static str> {
    let kind = match (notice.kind, notice.class) {
        (NoticeKind::Closed | NoticeKind::Late, _) => "white_check_mark",
        (NoticeKind::Accepted | NoticeKind::Taken, _) => "walking",
        (NoticeKind::CallBack | NoticeKind::Cancelled, _) => "telephone_receiver",
        (_, Class::Alarm) => "rotating_light",
        (_, Class::Warning) => "warning",
        (_, Class::Request) => "raising_hand",
        (_, Class::Fault) => "wrench",
    };
    let test = notice.test.then_some("test_tube");
    std::iter::once(kind).chain(test).collect()
}
