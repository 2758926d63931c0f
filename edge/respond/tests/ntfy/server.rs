//! A small server that speaks ntfy's HTTP: publish as JSON at `/`, publish at `/<topic>`, JSON
//! stream at `/<topic>/json?since=`, access tokens. It can be told to fail.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// Longest wait for a message.
const LIMIT: Duration = Duration::from_secs(30);

/// How the server treats what is published as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mood {
    Fine,
    Answers(u16),
    /// As a network does in which nobody signed in.
    ShowsAPage,
    AsksToWait(u64),
    HangsFor(String),
}

#[derive(Default)]
struct Inner {
    messages: HashMap<String, Vec<Value>>,
    listeners: Vec<(String, mpsc::UnboundedSender<Bytes>)>,
    subscriptions: Vec<String>,
    number: u64,
    mood: Option<Mood>,
    access_token: Option<String>,
    attempts: u32,
}

#[derive(Clone)]
pub struct Server {
    inner: Arc<Mutex<Inner>>,
    pub address: SocketAddr,
    pub published: Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<Value>>>,
    tell: mpsc::UnboundedSender<Value>,
}

impl Server {
    pub async fn start() -> Self {
        Self::start_on("127.0.0.1:0".parse().unwrap()).await
    }

    pub async fn start_on(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let (tell, published) = mpsc::unbounded_channel();
        let server = Self {
            inner: Arc::default(),
            address: listener.local_addr().unwrap(),
            published: Arc::new(tokio::sync::Mutex::new(published)),
            tell,
        };
        server.serve(listener);
        server
    }

    /// Comes back on its address with all it had kept, after the runtime it ran in was ended.
    #[allow(dead_code, reason = "used by the daemon's tests")]
    pub async fn again(&self) {
        self.serve(TcpListener::bind(self.address).await.unwrap());
    }

    fn serve(&self, listener: TcpListener) {
        let app = Router::new()
            .route("/", post(publish_json))
            .route("/v1/health", get(health))
            .route("/{topic}", post(publish_text))
            .route("/{topic}/json", get(subscribe))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn with<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.inner.lock().unwrap())
    }

    pub fn mood(&self, mood: Mood) {
        self.with(|inner| inner.mood = Some(mood));
    }

    pub fn wants_token(&self, token: &str) {
        self.with(|inner| inner.access_token = Some(token.to_owned()));
    }

    /// Ends every stream.
    pub fn hang_up(&self) {
        self.with(|inner| inner.listeners.clear());
    }

    pub fn attempts(&self) -> u32 {
        self.with(|inner| inner.attempts)
    }

    /// The `since` of each subscription so far.
    pub fn subscriptions(&self) -> Vec<String> {
        self.with(|inner| inner.subscriptions.clone())
    }

    /// The next message published as JSON.
    pub async fn next(&self) -> Value {
        let mut published = self.published.lock().await;
        let next = tokio::time::timeout(LIMIT, published.recv()).await;
        next.expect("nothing was published").unwrap()
    }

    /// Keeps a message of a topic and sends it to who listens.
    pub fn keep(&self, topic: &str, text: &str) -> Value {
        self.with(|inner| {
            inner.number += 1;
            let message = json!({
                "id": format!("msg{}", inner.number), "time": 1_700_000_000_u64 + inner.number,
                "event": "message", "topic": topic, "message": text,
            });
            inner.messages.entry(topic.to_owned()).or_default().push(message.clone());
            let line = Bytes::from(format!("{message}\n"));
            inner.listeners.retain(|(of, to)| of != topic || to.send(line.clone()).is_ok());
            message
        })
    }

    /// Sends bytes as they are to every listener.
    pub fn raw(&self, bytes: &'static [u8]) {
        self.with(|inner| {
            inner.listeners.retain(|(_, to)| to.send(Bytes::from_static(bytes)).is_ok());
        });
    }

    fn allowed(&self, headers: &HeaderMap) -> bool {
        self.with(|inner| {
            inner.access_token.as_ref().is_none_or(|token| {
                let given = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
                given == Some(&format!("Bearer {token}"))
            })
        })
    }
}

fn forbidden() -> Response {
    (StatusCode::FORBIDDEN, Json(json!({"code": 40301, "http": 403, "error": "forbidden"})))
        .into_response()
}

async fn publish_json(State(server): State<Server>, headers: HeaderMap, body: Bytes) -> Response {
    server.with(|inner| inner.attempts += 1);
    if !server.allowed(&headers) {
        return forbidden();
    }
    let Ok(message) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let topic = message["topic"].as_str().unwrap_or_default().to_owned();
    match server.with(|inner| inner.mood.clone()) {
        Some(Mood::Answers(code)) => return StatusCode::from_u16(code).unwrap().into_response(),
        Some(Mood::AsksToWait(seconds)) => {
            server.mood(Mood::Fine);
            let wait = [(header::RETRY_AFTER, seconds.to_string())];
            return (StatusCode::TOO_MANY_REQUESTS, wait).into_response();
        }
        Some(Mood::ShowsAPage) => {
            return Html("\r\n<html>Please sign in</html>").into_response();
        }
        Some(Mood::HangsFor(slow)) if slow == topic => std::future::pending().await,
        _ => {}
    }
    let kept = server.keep(&topic, message["message"].as_str().unwrap_or_default());
    let _ = server.tell.send(message);
    Json(kept).into_response()
}

/// A real server looks at the token of every request, and refuses a wrong one here too.
async fn health(State(server): State<Server>, headers: HeaderMap) -> Response {
    if !server.allowed(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match server.with(|inner| inner.mood.clone()) {
        Some(Mood::Answers(code)) => StatusCode::from_u16(code).unwrap().into_response(),
        _ => Json(json!({"healthy": true})).into_response(),
    }
}

/// Anybody may write to topics that begin with `anju-`.
async fn publish_text(
    State(server): State<Server>,
    Path(topic): Path<String>,
    headers: HeaderMap,
    text: String,
) -> Response {
    if !topic.starts_with("anju-") && !server.allowed(&headers) {
        return forbidden();
    }
    Json(server.keep(&topic, &text)).into_response()
}

async fn subscribe(
    State(server): State<Server>,
    Path(topic): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if !server.allowed(&headers) {
        return forbidden();
    }
    let since = query.get("since").cloned().unwrap_or_default();
    let (to, from) = mpsc::unbounded_channel();
    server.with(|inner| {
        inner.subscriptions.push(since.clone());
        let open = json!({"id": "open1", "time": 1, "event": "open", "topic": topic});
        let _ = to.send(Bytes::from(format!("{open}\n")));
        let kept = inner.messages.get(&topic).map_or(&[][..], Vec::as_slice);
        let after = kept.iter().position(|m| m["id"] == since.as_str()).map_or(0, |n| n + 1);
        for message in &kept[after..] {
            let _ = to.send(Bytes::from(format!("{message}\n")));
        }
        inner.listeners.push((topic, to));
    });
    let lines = futures::stream::unfold(from, |mut from| async move {
        from.recv().await.map(|line| (Ok::<_, Infallible>(line), from))
    });
    Body::from_stream(lines).into_response()
}
