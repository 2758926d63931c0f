//! Which path leads where. What a later sign-in protects is added here.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use crate::assets::Assets;
use crate::live::Hub;
use crate::texts::{Texts, choose};
use crate::view::{BoxView, Status};
use crate::{api, gate, page};

/// The far side of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// What every handler has.
#[derive(Clone)]
pub struct Site {
    /// The box.
    pub view: Arc<dyn BoxView>,
    /// The live changes.
    pub hub: Arc<Hub>,
    texts: Arc<Texts>,
    assets: Arc<Assets>,
}

impl Site {
    /// The status with its alerts sorted: the gravest first, then the newest.
    pub fn status(&self) -> Status {
        let mut status = self.view.status();
        status.alerts.sort_by_key(|alert| (std::cmp::Reverse(alert.class), alert.raised.seconds));
        status
    }
}

/// All paths behind the gate.
pub fn router(view: Arc<dyn BoxView>, hub: Arc<Hub>) -> Router {
    let site = Site { view, hub, texts: Arc::new(Texts::new()), assets: Arc::new(Assets::new()) };
    Router::new()
        .route("/", get(home))
        .route("/favicon.ico", get(icon))
        .route("/assets/{name}", get(asset))
        .route("/healthz", get(api::health))
        .route("/metrics", get(api::metrics))
        .route("/api/openapi.json", get(api::openapi))
        .route("/api/status", get(api::status))
        .route("/api/alerts", get(api::alerts))
        .route("/api/devices", get(api::devices))
        .route("/api/devices/{id}", get(api::device))
        .route("/api/links", get(api::links))
        .route("/api/channels", get(api::channels))
        .route("/api/plan", get(api::plan))
        .route("/api/live", get(api::live))
        .fallback(nothing)
        .with_state(site)
        .layer(middleware::from_fn(gate::gate))
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    lang: Option<String>,
    #[serde(flatten)]
    plan: page::PlanAsked,
}

async fn home(
    State(site): State<Site>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let status = site.status();
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let language = choose(asked.lang.as_deref(), accepted, status.language);
    let (at, rule) = asked.plan.read().unwrap_or_else(page::PlanAsked::default_plan);
    let plan = site.view.plan(at, &rule);
    let lang = asked.lang.as_deref().map(|_| language);
    let html = page::home(&status, plan.as_ref(), lang, site.texts.of(language), &site.assets);
    let headers = [(header::CONTENT_LANGUAGE, language.tag()), (header::VARY, "Accept-Language")];
    (headers, Html(html.into_string())).into_response()
}

async fn icon(State(site): State<Site>) -> Response {
    site.assets.get(site.assets.icon()).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

async fn asset(State(site): State<Site>, uri: Uri) -> Response {
    site.assets.get(uri.path()).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

async fn nothing() -> Response {
    (StatusCode::NOT_FOUND, "there is nothing here\n").into_response()
}
