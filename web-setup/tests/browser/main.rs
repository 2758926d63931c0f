//! The page in Debian's Chromium, as a phone and a desktop show it, in both languages, with an alarm
//! that arrives while it is open. Pictures are left in `target/screenshots`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../common/mod.rs"]
mod common;
mod driver;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anju_model::{Class, Fact, observation::Contact};
use anju_web_setup::{AlertStage, Limits, Presence, Reading};
use common::{Served, ago, alarm, calm, serve};
use driver::{Browser, Driver, Window};

const PHONE: (u32, u32) = (360, 740);
const DESKTOP: (u32, u32) = (1280, 860);

fn window((width, height): (u32, u32), language: &'static str) -> Window {
    Window { width, height, language, script: true }
}

fn picture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots").join(format!("{name}.png"))
}

const MOOD: &str = "document.body.dataset.mood";

/// What must hold of the page at any time.
fn in_order(browser: &Browser<'_>) {
    assert_eq!(browser.value("document.documentElement.scrollWidth > innerWidth"), false);
    let foreign = "performance.getEntriesByType('resource').filter(r => !r.name.startsWith(location.origin)).length";
    assert_eq!(browser.value(foreign), 0);
    let wide = "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))";
    assert_eq!(browser.value(wide), serde_json::json!([]));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// Another time of day is a link away, in the language that is read.
fn another_plan(browser: &Browser<'_>, english: bool) {
    let plan = "document.getElementById('plan').innerText";
    let shown = browser.value(plan).as_str().unwrap().to_owned();
    let (night, sure) = if english {
        ("03:00: Somebody may have fallen (Alarm)", "No way to them is proved")
    } else {
        ("03:00：可能有人跌倒（告警）", "没有一条路确认过能联系上")
    };
    assert!(shown.contains(night) && shown.contains(sure), "{shown}");
    browser.value("document.querySelector('#plan a[href*=\"at=21:00\"]').click()");
    browser.until(&format!("{plan} && {plan}.includes('21:00')"));
    assert_eq!(
        browser.value("document.documentElement.lang"),
        if english { "en" } else { "zh-CN" }
    );
    in_order(browser);
}

async fn one(driver: &Driver, name: &str, window: Window) {
    let served: Served = serve(calm(), Limits::default()).await;
    let browser = Browser::open(driver, window);
    browser.visit(&format!("http://{}/", served.address));
    let english = window.language == "en";
    let says = |zh: &str, en: &str| {
        format!("document.body.innerText.includes('{}')", if english { en } else { zh })
    };
    browser.until(&says("一切正常", "All is well"));
    assert_eq!(
        browser.value("document.documentElement.lang"),
        if english { "en" } else { "zh-CN" }
    );
    assert_eq!(browser.value(MOOD), "calm");
    let bytes = browser.value(
        "performance.getEntries().filter(e => e.transferSize && !e.name.includes('/api/')).reduce((sum, e) => sum + e.transferSize, 0)",
    );
    println!("{name}: {bytes} bytes loaded so far");
    in_order(&browser);
    browser.picture(&picture(&format!("{name}-calm")));
    another_plan(&browser, english);

    let began = Instant::now();
    served.made.change(|status| {
        let mut alert = alarm();
        alert.helpers.clear();
        status.alerts.push(alert);
    });
    browser.until(&format!("{MOOD} === 'alarm'"));
    println!("{name}: the alarm is on the page within {:?}", began.elapsed());
    browser.until(&says("卧室的报警按钮被按下", "Help was asked for"));
    assert!(browser.value("document.title").as_str().unwrap().starts_with(if english {
        "ALARM"
    } else {
        "告警"
    }));
    served.made.change(|status| {
        status.alerts[0] = alarm();
        status.alerts[0].stage = AlertStage::Accepted;
    });
    browser.until(&says(
        "女儿 王芳 已回应，约 15 分钟到",
        "女儿 王芳 has answered and comes in about 15 min",
    ));
    in_order(&browser);
    browser.picture(&picture(&format!("{name}-alarm")));

    served.made.change(|status| {
        let mut alert = alarm();
        alert.class = Class::Fault;
        alert.rule = "device-silent".into();
        alert.text = "王奶奶家：入户门门磁没有信号了".into();
        alert.helpers.clear();
        status.alerts = vec![alert];
        status.devices[1].presence = Presence::Offline;
        let open = Fact::Contact(Contact { open: true });
        status.devices[1].readings = vec![Reading { fact: open, ago: ago(9000), baseline: false }];
        status.config_faults =
            vec!["/etc/anju/anju.toml:41:1: unknown key `pinn`; write `pin`".into()];
        status.channels[0].failing = Some("ntfy.example: no answer within 10 s".into());
        status.rules[0].why = None;
    });
    browser.until("document.querySelector('[data-device=door]').dataset.presence === 'offline'");
    assert_eq!(browser.value(MOOD), "notice");
    in_order(&browser);
    browser.picture(&picture(&format!("{name}-notice")));

    drop(served);
    browser.until("!document.getElementById('lost').hidden");
    assert_eq!(browser.value("document.body.classList.contains('is-lost')"), true);
    browser.picture(&picture(&format!("{name}-lost")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_page_is_right_on_a_phone_and_a_desktop_in_both_languages() {
    let driver = Driver::start();
    one(&driver, "phone-zh", window(PHONE, "zh-CN")).await;
    one(&driver, "phone-en", window(PHONE, "en")).await;
    one(&driver, "desktop-zh", window(DESKTOP, "zh-CN")).await;
    one(&driver, "desktop-en", window(DESKTOP, "en")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everything_is_there_without_javascript() {
    let mut status = calm();
    status.alerts = vec![alarm()];
    let served = serve(status, Limits::default()).await;
    let driver = Driver::start();
    let browser = Browser::open(&driver, Window { script: false, ..window(PHONE, "zh-CN") });
    browser.visit(&format!("http://{}/", served.address));
    let page = browser.source();
    for words in ["卧室的报警按钮被按下", "有人回应", "入户门门磁", "http-equiv=\"refresh\""]
    {
        assert!(page.contains(words), "{words}");
    }
    browser.picture(&picture("phone-zh-without-javascript"));
    browser.visit(&format!("http://{}/?lang=en", served.address));
    assert!(browser.source().contains("Help was asked for"));
}
