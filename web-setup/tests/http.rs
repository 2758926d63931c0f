//! The real server over real sockets: what it answers, what it refuses, what it costs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::time::{Duration, Instant};

use anju_model::Language;
use anju_web_setup::{AlertStage, Limits, Presence};
use common::{Live, alarm, calm, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn the_page_is_whole_in_both_languages_and_loads_nothing_from_elsewhere() {
    let served = serve(calm(), Limits::default()).await;
    let zh = served.get("/").await;
    assert_eq!(zh.status, 200);
    for words in ["一切正常", "王奶奶家", "21.5 °C", "关着", "没有所需的设备"] {
        assert!(zh.body.contains(words), "{words}");
    }
    let en = served.ask("GET", "/", "Accept-Language: fr, en;q=0.8\r\n").await;
    for words in ["All is well", "Closed", "no device tells what it needs", "lang=\"en\""] {
        assert!(en.body.contains(words), "{words}");
    }
    let asked = served.ask("GET", "/?lang=en", "Accept-Language: zh-CN\r\n").await;
    assert!(asked.body.contains("All is well"));
    for page in [&zh, &en] {
        let links = page.body.split(['"', '\'']).filter(|part| part.contains("//"));
        assert_eq!(links.collect::<Vec<_>>(), Vec::<&str>::new());
        assert!(!page.body.contains(" style=") && !page.body.contains("<style"));
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"));
        assert!(!policy.contains("unsafe") && !policy.contains('*'));
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn what_the_base_kit_lacks_and_an_unsupervised_cable_are_shown() {
    let mut status = calm();
    status.kit_missing =
        vec![anju_model::DeviceKind::FixedAlarm, anju_model::DeviceKind::DoorContact];
    status.devices[0].unsupervised = true;
    let served = serve(status, Limits::default()).await;
    let zh = served.get("/").await;
    for words in ["基本套件不完整，缺少：固定报警器、智能门磁感应器", "线路无监测"]
    {
        assert!(zh.body.contains(words), "{words}");
    }
    let en = served.get("/?lang=en").await;
    for words in ["not complete: fixed alarm and door contact missing", "cable not supervised"] {
        assert!(en.body.contains(words), "{words}");
    }
}

#[tokio::test]
async fn the_first_load_is_small() {
    let mut status = calm();
    // As many devices as there are kinds.
    status.devices = (0..33)
        .map(|n| {
            let mut device = status.devices[n % 4].clone();
            device.id = anju_model::DeviceId::new(&format!("device-{n}")).unwrap();
            device
        })
        .collect();
    let served = serve(status, Limits::default()).await;
    let page = served.get("/").await;
    let mut bytes = page.head.len() + page.body.len();
    let paths: Vec<String> = page
        .body
        .split('"')
        .filter(|part| part.starts_with("/assets/"))
        .map(str::to_owned)
        .collect();
    assert_eq!(paths.len(), 3);
    for path in paths {
        let asset = served.get(&path).await;
        assert_eq!(asset.status, 200, "{path}");
        assert!(asset.header("cache-control").unwrap().contains("immutable"));
        bytes += asset.head.len() + asset.body.len();
    }
    println!("first load with 33 devices: {bytes} bytes, not compressed");
    assert!(bytes < 60_000, "{bytes}");
}

#[tokio::test]
async fn a_lost_device_is_never_shown_with_a_present_value() {
    let mut status = calm();
    status.devices[1].presence = Presence::Offline;
    status.devices[3].readings[0].ago = common::ago(3 * 3600);
    status.devices[0].presence = Presence::NotServed;
    status.devices[2].readings[0].baseline = true;
    let served = serve(status, Limits::default()).await;
    let page = served.ask("GET", "/?lang=en", "").await.body;
    let row = |id: &str| {
        let start = page.find(&format!("data-device=\"{id}\"")).unwrap();
        page[start..].split("</li>").next().unwrap().to_owned()
    };
    assert!(row("door").contains("<p class=\"value\">Lost</p>"));
    assert!(row("door").contains("Last: Closed, 5 min ago"));
    assert!(row("climate").contains("<p class=\"value old\">21.5 °C</p>"));
    assert!(row("sos").contains("<p class=\"value\">Not connected</p>"));
    assert!(
        row("pir").contains("<p class=\"value old\">") && row("pir").contains("as known at start")
    );
    assert!(page.contains("Something needs a look"));
}

#[tokio::test]
async fn names_from_devices_and_people_can_not_become_markup() {
    let mut status = calm();
    let evil = "<script>alert(1)</script>\"'><img src=//evil.example>";
    status.devices[0].name = evil.to_owned();
    status.persons[0].name = evil.to_owned();
    status.config_faults = vec![evil.to_owned()];
    status.alerts = vec![alarm()];
    status.alerts[0].text = evil.to_owned();
    status.alerts[0].rule = evil.to_owned();
    status.channels[0].failing = Some(evil.to_owned());
    let served = serve(status, Limits::default()).await;
    for target in ["/", "/?lang=en", "/?lang=%3Cscript%3E"] {
        let page = served.get(target).await.body;
        assert!(!page.contains("<script>alert") && !page.contains("<img"), "{target}");
    }
}

#[tokio::test]
async fn only_this_machine_may_be_asked_and_only_by_itself() {
    let served = serve(calm(), Limits::default()).await;
    let port = served.address.port();
    for host in ["localhost", "LocalHost:9", "127.0.0.1", "[::1]:80"] {
        let answer = served.ask("GET", "/api/status", &format!("Host: {host}\r\n")).await;
        assert_eq!(answer.status, 200, "{host}");
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "192.168.1.9",
        "0.0.0.0",
        "",
        "a@localhost",
        "::1",
    ] {
        let answer = served.ask("GET", "/", &format!("Host: {host}\r\n")).await;
        assert!([400, 403].contains(&answer.status), "{host}: {}", answer.status);
        assert!(!answer.body.contains("王奶奶"));
    }
    let twice = served.ask("GET", "/", "Host: localhost\r\nHost: evil.example\r\n").await;
    assert!([400, 403].contains(&twice.status));
    let none = served.send(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").await;
    assert!([400, 403].contains(&none.status));
    let absolute = served.ask("GET", "http://evil.example/", "Host: localhost\r\n").await;
    assert_eq!(absolute.status, 403);

    let own = format!("Origin: http://127.0.0.1:{port}\r\n");
    assert_eq!(served.ask("GET", "/api/status", &own).await.status, 200);
    for origin in [
        "http://evil.example",
        "null",
        "http://127.0.0.1:1",
        "https://localhost",
        "http://localhost",
    ] {
        let answer = served.ask("GET", "/api/live", &format!("Origin: {origin}\r\n")).await;
        assert_eq!(answer.status, 403, "{origin}");
    }
    let embedded =
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n";
    assert_eq!(served.ask("GET", "/", embedded).await.status, 403);
    let followed =
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
    assert_eq!(served.ask("GET", "/", followed).await.status, 200);
    assert_eq!(served.get("/").await.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn it_can_only_be_read() {
    let served = serve(calm(), Limits::default()).await;
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"] {
        for target in ["/", "/api/status", "/api/alerts"] {
            let answer = served.ask(method, target, "").await;
            assert!(
                [400, 403, 405].contains(&answer.status),
                "{method} {target}: {}",
                answer.status
            );
        }
    }
    let refused = served.ask("POST", "/api/alerts", "Content-Length: 2\r\n\r\n{}").await;
    assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")));
    assert_eq!(served.ask("GET", "/", "Content-Length: 5\r\n\r\nhello").await.status, 413);
    let chunked = served.ask("GET", "/", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").await;
    assert_eq!(chunked.status, 413);
    let huge = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{}",
        1u64 << 40,
        "x".repeat(1 << 20)
    );
    assert_eq!(served.send(huge.as_bytes()).await.status, 405);
    let head = served.ask("HEAD", "/", "").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(served.ask("HEAD", "/api/live", "").await.status, 200);
}

#[tokio::test]
async fn no_path_leads_anywhere_else() {
    let served = serve(calm(), Limits::default()).await;
    for target in [
        "/../../etc/passwd",
        "/assets/../../../etc/passwd",
        "/assets/..%2f..%2fCargo.toml",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/assets/anju.css",
        "/assets/",
        "//etc/passwd",
        "/api/devices/..",
        "/api/devices/%00",
        "/api/devices/%0d%0aSet-Cookie:%20a=b",
        "/.git/config",
        "/api",
        "/api/",
    ] {
        let answer = served.get(target).await;
        assert!([400, 404].contains(&answer.status), "{target}: {}", answer.status);
        assert!(!answer.body.contains("root:") && answer.header("set-cookie").is_none());
        assert!(answer.header("content-security-policy").is_some() || answer.status == 400);
    }
    assert_eq!(served.get("/api/devices/door").await.json()["id"], "door");
}

#[tokio::test]
async fn malformed_and_oversized_requests_are_refused() {
    let served = serve(calm(), Limits::default()).await;
    let long = "x".repeat(64 * 1024);
    let many = "A: b\r\n".repeat(500);
    for request in [
        format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: localhost\r\nCookie: {long}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n"),
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"
            .to_owned(),
        "GET /\x07 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}hello tls\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
    ] {
        let answer = served.send(request.as_bytes()).await;
        assert!(
            answer.status == 0 || (400..500).contains(&answer.status) || answer.status == 505,
            "{}: {}",
            request.chars().take(60).collect::<String>(),
            answer.status
        );
    }
    assert_eq!(served.get("/healthz").await.status, 200, "it still serves");
}

#[tokio::test]
async fn slow_clients_are_let_go_and_do_not_hold_up_others() {
    let limits = Limits {
        connections: 4,
        ask_within: Duration::from_millis(300),
        read_within: Duration::from_millis(300),
        ..Limits::default()
    };
    let served = serve(calm(), limits).await;
    let mut slow = Vec::new();
    for begin in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow:", "G"] {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(begin.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    // All places are taken; this one is served as soon as the slow ones were let go.
    assert_eq!(served.get("/healthz").await.status, 200);
    for mut stream in slow {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(common::DEADLINE, stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "it is let go");
    }
    // One that asks again and again but never reads.
    let mut deaf = TcpStream::connect(served.address).await.unwrap();
    let ask = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(50);
    let written = async { while deaf.write_all(&ask).await.is_ok() {} };
    tokio::time::timeout(common::DEADLINE, written).await.expect("it is let go");
    assert_eq!(served.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn live_tells_the_whole_then_the_changes() {
    let served = serve(calm(), Limits { streams: 2, ..Limits::default() }).await;
    let mut live = Live::open(&served).await;
    assert_eq!(live.event("status").await["box_id"], "hz-test");
    let began = Instant::now();
    served.made.change(|status| status.alerts.push(alarm()));
    // The first change after a silence may come as the whole status.
    let told = live.event("alert").await;
    println!("told within {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_millis(200));
    assert_eq!((&told["id"], &told["stage"]), (&"hz-test/1/7".into(), &"searching".into()));
    served.made.change(|status| status.alerts[0].stage = AlertStage::Accepted);
    assert_eq!(live.event("alert").await["stage"], "accepted");
    served.made.change(|status| status.devices[1].presence = Presence::Offline);
    assert_eq!(live.event("device").await["presence"], "offline");
    served.made.change(|status| status.alerts.clear());
    assert_eq!(live.event("alert_over").await["id"], "hz-test/1/7");

    let mut second = Live::open(&served).await;
    second.event("status").await;
    let third = served.get("/api/live").await;
    assert_eq!((third.status, third.header("retry-after")), (503, Some("30")));
    drop(live);
    let again = async {
        while served.get("/api/status").await.status != 200 || {
            let mut tried = Live::open(&served).await;
            tokio::time::timeout(Duration::from_millis(300), tried.event("status")).await.is_err()
        } {}
    };
    tokio::time::timeout(common::DEADLINE, again).await.expect("a place is free again");
}

#[tokio::test]
async fn health_and_figures() {
    let served = serve(calm(), Limits::default()).await;
    let health = served.get("/healthz").await;
    assert_eq!((health.status, &health.json()["guarding"]), (200, &true.into()));
    assert_eq!(health.json()["parts"][0]["name"], "journal");
    served.made.change(|status| status.guarding_since = None);
    let health = served.get("/healthz").await;
    assert_eq!((health.status, &health.json()["guarding"]), (503, &false.into()));
    assert!(served.get("/?lang=en").await.body.contains("The box does not guard"));
    let figures = served.get("/metrics").await;
    assert!(figures.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    assert!(figures.body.contains("\nanju_guarding_seconds 60\n"));
}

#[tokio::test]
async fn an_english_household_is_greeted_in_english() {
    let mut status = calm();
    status.language = Language::En;
    let served = serve(status, Limits::default()).await;
    assert!(served.get("/").await.body.contains("All is well"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_open_pages_cost_little_and_answers_stay_quick() {
    let served = serve(calm(), Limits::default()).await;
    served.get("/").await;
    let before = resident();
    let mut pages = Vec::new();
    for _ in 0..100 {
        let mut live = Live::open(&served).await;
        live.event("status").await;
        pages.push(live);
    }
    served.made.change(|status| status.alerts.push(alarm()));
    for page in &mut pages {
        page.event("alert").await;
    }
    let grown = resident().saturating_sub(before);
    println!("a hundred open pages, with their clients: {} KiB more", grown / 1024);
    assert!(grown < 10 << 20, "{grown}");
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        assert_eq!(served.get("/").await.status, 200);
        times.push(began.elapsed());
    }
    times.sort();
    println!("page p50 {:?} p99 {:?}", times[100], times[198]);
    // The goal is 20 ms at p99; a busy test machine may hold up a few.
    assert!(times[100] < Duration::from_millis(20), "{:?}", times[100]);
}

/// Bytes of memory of this process.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}
