//! Local servers shaped like those of WeCom and DingTalk: they check key, signature, size and how
//! often they are spoken to. The signature is checked by an implementation of its own.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::LIMIT;

/// How the server treats messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Fine,
    Answers(u16),
    Hangs,
    Babbles,
}

#[derive(Clone)]
pub struct Robot {
    inner: Arc<Mutex<(Mood, Vec<Instant>)>>,
    tell: mpsc::UnboundedSender<Value>,
    got: Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<Value>>>,
    pub address: SocketAddr,
}

impl Robot {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (tell, got) = mpsc::unbounded_channel();
        let robot = Self {
            inner: Arc::new(Mutex::new((Mood::Fine, Vec::new()))),
            tell,
            got: Arc::new(tokio::sync::Mutex::new(got)),
            address: listener.local_addr().unwrap(),
        };
        let app = Router::new()
            .route("/cgi-bin/webhook/send", post(wecom))
            .route("/robot/send", post(dingtalk))
            .with_state(robot.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        robot
    }

    pub fn mood(&self, mood: Mood) {
        self.inner.lock().unwrap().0 = mood;
    }

    /// The next message that was taken.
    pub async fn next(&self) -> Value {
        let mut got = self.got.lock().await;
        tokio::time::timeout(LIMIT, got.recv()).await.expect("no message came").unwrap()
    }

    /// Whether one more message is too much within a minute.
    fn too_fast(&self) -> bool {
        let mut inner = self.inner.lock().unwrap();
        inner.1.retain(|at| at.elapsed() < Duration::from_secs(60));
        inner.1.push(Instant::now());
        inner.1.len() > 20
    }

    async fn moody(&self) -> Option<Response> {
        let mood = self.inner.lock().unwrap().0;
        match mood {
            Mood::Fine => None,
            Mood::Answers(code) => Some(StatusCode::from_u16(code).unwrap().into_response()),
            Mood::Hangs => std::future::pending().await,
            Mood::Babbles => Some("<html>a hotel's sign-in page</html>".into_response()),
        }
    }
}

fn answer(code: i64, text: &str) -> Response {
    axum::Json(json!({"errcode": code, "errmsg": text})).into_response()
}

type Asked = Query<HashMap<String, String>>;

async fn wecom(State(robot): State<Robot>, Query(query): Asked, body: Bytes) -> Response {
    if let Some(moody) = robot.moody().await {
        return moody;
    }
    if query.get("key").map(String::as_str) != Some("k-secret") {
        return answer(93000, "invalid webhook url");
    }
    if robot.too_fast() {
        return answer(45009, "api freq out of limit");
    }
    let message: Value = serde_json::from_slice(&body).unwrap();
    if message["msgtype"] != "text" {
        return answer(40008, "invalid message type");
    }
    let content = message["text"]["content"].as_str().unwrap();
    if content.is_empty() || content.len() > 2048 {
        return answer(40058, "invalid parameter");
    }
    robot.tell.send(message).unwrap();
    answer(0, "ok")
}

async fn dingtalk(State(robot): State<Robot>, Query(query): Asked, body: Bytes) -> Response {
    if let Some(moody) = robot.moody().await {
        return moody;
    }
    if query.get("access_token").map(String::as_str) != Some("t-secret") {
        return answer(300_001, "token is not exist");
    }
    let at: i64 = query["timestamp"].parse().unwrap();
    if (jiff::Timestamp::now().as_millisecond() - at).abs() > 3_600_000 {
        return answer(310_000, "invalid timestamp");
    }
    if query["sign"] != signature("SECsecret", at) {
        return answer(310_000, "sign not match");
    }
    if robot.too_fast() {
        return answer(130_101, "send too fast, exceed 20 times per minute");
    }
    let message: Value = serde_json::from_slice(&body).unwrap();
    if message["msgtype"] != "text" {
        return answer(400_105, "unsupported msgtype");
    }
    robot.tell.send(message).unwrap();
    answer(0, "ok")
}

/// By another implementation than the box's: Python, which every Debian has.
fn signature(secret: &str, at: i64) -> String {
    let program = "import sys,hmac,hashlib,base64;s=sys.argv[1];t=sys.argv[2];\
        print(base64.b64encode(hmac.new(s.encode(),(t+chr(10)+s).encode(),hashlib.sha256)\
        .digest()).decode())";
    let at = at.to_string();
    let done = std::process::Command::new("python3").args(["-c", program, secret, &at]).output();
    String::from_utf8(done.expect("python3 is installed").stdout).unwrap().trim().to_owned()
}
