use anju_model::{AlertId, Class, Language, Rule};

use super::*;
use crate::life::Words;

fn letter(kind: NoticeKind, body: &str) -> Letter {
    let words = Words { title: "安居告警".into(), body: body.into() };
    Letter::first(Notice {
        alert: AlertId::from_wire("box/1/1").unwrap(),
        contact: ContactId::new("daughter").unwrap(),
        channels: vec![ChannelKind::Sms],
        kind,
        class: Class::Alarm,
        rule: Rule::Help,
        test: false,
        full: Words { title: "告警：王奶奶家".into(), body: "卧室".into() },
        discreet: words,
    })
}

fn texter(reports: &Reports, details: bool) -> Texter {
    texter_in(Language::ZhCn, reports, details)
}

fn texter_in(language: Language, reports: &Reports, details: bool) -> Texter {
    let modem = Sms::start(Bus::At("unix:path=/nowhere".into()), reports).modem.clone();
    let texts = Arc::new(Texts::new(language));
    let number = (ContactId::new("daughter").unwrap(), "+8613800000000".to_owned());
    Texter { modem, numbers: HashMap::from([number]), details, texts }
}

#[tokio::test]
async fn a_text_says_how_to_answer_and_never_needs_more_parts_than_the_modem_sends() {
    let (reports, _told) = mpsc::unbounded_channel();
    let texter = texter(&reports, false);
    let call = letter(NoticeKind::Call, "有一条告警，请尽快回应。");
    let (text, _) = texter.written(std::slice::from_ref(&call));
    assert_eq!(text, "安居告警\n有一条告警，请尽快回应。\n回复1接受，回复2表示已到。");
    let (text, _) = texter.written(&[letter(NoticeKind::Taken, "已收到。")]);
    assert!(text.ends_with("回复2。"), "{text}");
    let (text, _) = texter.written(&[letter(NoticeKind::Closed, "已处理。")]);
    assert!(!text.contains("回复"), "{text}");
    let many: Vec<Letter> = (0..40)
        .map(|n| letter(NoticeKind::Call, &format!("{}{n}", "浴室里有人跌倒。".repeat(n % 30))))
        .collect();
    let (text, count) = texter.written(&many);
    assert!(text.chars().count() <= anju_modem::LONGEST && count < 40, "{count}: {text}");
    assert!(text.contains("回复1"), "the hint is never cut off");

    // In English a byte is a whole character.
    let english = texter_in(Language::En, &reports, false);
    let bodies = ["the alarm button in the bedroom was pressed.", "smoke in the kitchen."];
    let many: Vec<Letter> = (0..12)
        .map(|n| letter(NoticeKind::Call, &format!("Home {n}: {}", bodies[n % 2])))
        .collect();
    let (text, count) = english.written(&many);
    assert!(text.chars().count() <= anju_modem::LONGEST && count < 12, "{count}: {text}");
    assert!(text.contains(&format!("Home {}:", count - 1)) && text.contains("Reply 1"), "{text}");
    let (text, count) = english.written(&[letter(NoticeKind::Call, &"long ".repeat(200))]);
    assert!(text.chars().count() <= anju_modem::LONGEST && count == 1, "{text}");
    assert!(text.contains("Reply 1"), "{text}");

    let (text, _) = texter.written(&[letter(NoticeKind::Trial, "请回复1。")]);
    assert_eq!(text.matches("回复").count(), 1, "{text}");

    let unproved = texter.prove().await;
    assert!(matches!(unproved, Err(Refusal::Later { .. })), "{unproved:?}");
    let refused = texter.send(std::slice::from_ref(&call)).await;
    assert!(matches!(refused, Err(Refusal::Later { .. })), "{refused:?}");
}

#[tokio::test]
async fn names_are_told_only_where_they_may_be() {
    let (reports, _told) = mpsc::unbounded_channel();
    let (text, _) = texter(&reports, true).written(&[letter(NoticeKind::Call, "x")]);
    assert!(text.contains("王奶奶") && text.contains("卧室"), "{text}");
}
