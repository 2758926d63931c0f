//! The same as the page shows, as JSON for programs. The document that describes it is part of the
//! program; a test holds every answer against it.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::metrics;
use crate::page::PlanAsked;
use crate::site::{Peer, Site};
use crate::view::{Alert, Channel, Device, Link, Status};

/// The description of the interface.
pub const OPENAPI: &str = include_str!("../../edge/reference/pages/openapi.json");

pub async fn status(State(site): State<Site>) -> Json<Status> {
    Json(site.view.status())
}

pub async fn alerts(State(site): State<Site>) -> Json<Vec<Alert>> {
    Json(site.status().alerts)
}

pub async fn devices(State(site): State<Site>) -> Json<Vec<Device>> {
    Json(site.view.status().devices)
}

pub async fn device(State(site): State<Site>, Path(id): Path<String>) -> Response {
    let devices = site.view.status().devices;
    match devices.into_iter().find(|device| device.id.as_str() == id) {
        Some(device) => Json(device).into_response(),
        None => (StatusCode::NOT_FOUND, "there is no such device\n").into_response(),
    }
}

pub async fn links(State(site): State<Site>) -> Json<Vec<Link>> {
    Json(site.view.status().links)
}

pub async fn channels(State(site): State<Site>) -> Json<Vec<Channel>> {
    Json(site.view.status().channels)
}

pub async fn plan(State(site): State<Site>, Query(asked): Query<PlanAsked>) -> Response {
    let Some((at, rule)) = asked.read() else {
        let why = "use `at=HH:MM` and `rule` with the name of a rule\n";
        return (StatusCode::BAD_REQUEST, why).into_response();
    };
    match site.view.plan(at, &rule) {
        Some(plan) => Json(plan).into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, "not on guard yet\n").into_response(),
    }
}

pub async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

pub async fn live(State(site): State<Site>) -> Response {
    site.hub.stream()
}

pub async fn health(State(site): State<Site>) -> Response {
    let health = site.view.health();
    let status = if health.guarding { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health)).into_response()
}

pub async fn metrics(State(site): State<Site>, peer: axum::Extension<Peer>) -> Response {
    if !peer.0.0.ip().to_canonical().is_loopback() {
        return (StatusCode::FORBIDDEN, "figures are for this machine only\n").into_response();
    }
    let headers = [(header::CONTENT_TYPE, metrics::CONTENT_TYPE)];
    (headers, metrics::render(&site.view.metrics())).into_response()
}
