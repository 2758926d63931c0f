//! Style, script and icon, embedded. Each lies below a name that carries its fingerprint, so that
//! a browser may keep it for ever and still never shows a page with the style of another version.

use std::hash::{DefaultHasher, Hasher};

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// One embedded file.
#[derive(Debug)]
struct Asset {
    path: String,
    content_type: &'static str,
    body: &'static str,
}

impl Asset {
    fn new(name: &str, ending: &str, content_type: &'static str, body: &'static str) -> Self {
        // A fingerprint against mix-ups, not against forgery.
        let mut hasher = DefaultHasher::new();
        hasher.write(body.as_bytes());
        let path = format!("/assets/{name}.{:016x}.{ending}", hasher.finish());
        Self { path, content_type, body }
    }
}

/// The embedded files.
#[derive(Debug)]
pub struct Assets {
    style: Asset,
    script: Asset,
    icon: Asset,
}

impl Assets {
    /// All of them.
    pub fn new() -> Self {
        Self {
            style: Asset::new(
                "anju",
                "css",
                "text/css; charset=utf-8",
                include_str!("../assets/anju.css"),
            ),
            script: Asset::new(
                "live",
                "js",
                "text/javascript; charset=utf-8",
                include_str!("../assets/live.js"),
            ),
            icon: Asset::new("icon", "svg", "image/svg+xml", include_str!("../assets/icon.svg")),
        }
    }

    /// Path of the style sheet.
    pub fn style(&self) -> &str {
        &self.style.path
    }

    /// Path of the script.
    pub fn script(&self) -> &str {
        &self.script.path
    }

    /// Path of the icon.
    pub fn icon(&self) -> &str {
        &self.icon.path
    }

    /// The file of that path.
    pub fn get(&self, path: &str) -> Option<Response> {
        let asset = [&self.style, &self.script, &self.icon].into_iter().find(|a| a.path == path)?;
        let headers = [
            (header::CONTENT_TYPE, asset.content_type),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        ];
        Some((headers, asset.body).into_response())
    }
}
