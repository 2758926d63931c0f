//! A browser, driven over WebDriver (W3C) through Debian's ChromeDriver. Only what these tests
//! need of the protocol.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// Longest wait for the browser.
const DEADLINE: Duration = Duration::from_secs(30);

/// No sandbox because tests may run as root; the rest keeps Chromium from asking the network.
const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// ChromeDriver on a port of its own choice.
pub struct Driver {
    child: Child,
    port: u16,
}

impl Driver {
    pub fn start() -> Self {
        let mut child = Command::new("/usr/bin/chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("install chromium and chromium-driver, or run `make test`, which does");
        let out = BufReader::new(child.stdout.take().unwrap());
        let port = out.lines().find_map(|line| {
            let line = line.unwrap();
            line.split("successfully on port ").nth(1)?.trim_end_matches('.').parse().ok()
        });
        Self { child, port: port.expect("ChromeDriver says its port") }
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let body = if method == "POST" { body.to_string() } else { String::new() };
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        )
        .unwrap();
        // ChromeDriver keeps the connection open whatever it is asked.
        let mut answer = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            answer.read_line(&mut line).expect("the browser answers in time");
            match line.trim_end().split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse().unwrap();
                }
                None if line.trim_end().is_empty() => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        answer.read_exact(&mut body).unwrap();
        let value = serde_json::from_slice::<Value>(&body).unwrap()["value"].take();
        assert!(value["error"].is_null(), "{path}: {value}");
        value
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a window is.
#[derive(Clone, Copy)]
pub struct Window {
    pub width: u32,
    pub height: u32,
    pub language: &'static str,
    pub script: bool,
}

/// One window.
pub struct Browser<'a> {
    driver: &'a Driver,
    session: String,
}

impl<'a> Browser<'a> {
    pub fn open(driver: &'a Driver, window: Window) -> Self {
        let Window { width, height, language, script } = window;
        let options = json!({
            "args": FLAGS,
            "binary": "/usr/bin/chromium",
            "mobileEmulation": {"deviceMetrics": {"width": width, "height": height, "pixelRatio": 2.0}},
            "prefs": {
                "intl.accept_languages": language,
                "profile.managed_default_content_settings.javascript": if script { 1 } else { 2 },
            },
        });
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let session = driver.ask("POST", "/session", &wanted);
        Self { driver, session: format!("/session/{}", session["sessionId"].as_str().unwrap()) }
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        self.driver.ask(method, &format!("{}{path}", self.session), body)
    }

    pub fn visit(&self, address: &str) {
        self.ask("POST", "/url", &json!({"url": address}));
    }

    /// The value of an expression in the page.
    pub fn value(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        self.ask("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Waits until an expression holds; it is looked at on each change of the page.
    pub fn until(&self, expression: &str) {
        let script = format!(
            "const done = arguments[0]; const look = () => ({expression}) && \
             (watch.disconnect(), done(true)); const watch = new MutationObserver(look); \
             watch.observe(document, {{subtree: true, childList: true, attributes: true, \
             characterData: true}}); look();"
        );
        self.ask("POST", "/execute/async", &json!({"script": script, "args": []}));
    }

    /// The page as people read it.
    pub fn source(&self) -> String {
        self.ask("GET", "/source", &Value::Null).as_str().unwrap().to_owned()
    }

    /// What the browser complained of.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.ask("POST", "/se/log", &json!({"type": "browser"}));
        let log = log.as_array().unwrap().iter();
        log.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Keeps a picture of the whole page.
    pub fn picture(&self, file: &Path) {
        let whole = json!({"cmd": "Page.captureScreenshot",
            "params": {"captureBeyondViewport": true, "format": "png"}});
        let picture = self.ask("POST", "/goog/cdp/execute", &whole);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, base64(picture["data"].as_str().unwrap())).unwrap();
    }
}

impl Drop for Browser<'_> {
    fn drop(&mut self) {
        // A browser that is left behind would outlive the test.
        let quit = || self.ask("DELETE", "", &Value::Null);
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(quit));
    }
}

/// Bytes of a base64 text (RFC 4648, 4).
fn base64(text: &str) -> Vec<u8> {
    let place = |byte: u8| match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        b'a'..=b'z' => u32::from(byte - b'a') + 26,
        b'0'..=b'9' => u32::from(byte - b'0') + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    for group in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = group.iter().fold(0, |bits, byte| bits << 6 | place(*byte));
        let bits = bits << (6 * (4 - group.len()));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    bytes
}
