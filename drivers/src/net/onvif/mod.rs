//! A camera's events by ONVIF: the box makes a pull point and asks it for what happened. Only events
//! are taken; no picture and no sound is ever asked for here. A camera without the box's time is
//! spoken to in its own: its clock is read first.

pub mod notification;
pub mod soap;
pub mod xml;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anju_model::observation::Camera;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, header};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::{Instant, timeout};

use super::{Broken, Voice};
use soap::{Ask, Login};
use xml::Element;

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// A pull waits up to 20 s in the camera.
const ANSWER_WITHIN: Duration = Duration::from_secs(35);
/// Pull points are made for 2 minutes.
const RENEW_EVERY: Duration = Duration::from_secs(45);
/// Shortest time between pulls: some cameras answer at once and empty.
const PAUSE: Duration = Duration::from_millis(200);
/// Longest answer, bytes.
const LONGEST: usize = 1024 * 1024;

/// Takes a camera's events until it is lost.
pub(super) async fn serve(
    url: &str,
    login: Option<&(String, PathBuf)>,
    voice: &mut Voice<'_>,
) -> Result<(), Broken> {
    let camera = Session::open(url, login).await?;
    let mut renewed = Instant::now();
    loop {
        let pulled = camera.ask(Ask::Pull).await?;
        voice.heard().await?;
        for notice in notification::notices(&pulled) {
            let seen = Camera { seen: notice.seen, active: notice.active };
            voice.say(seen, notice.baseline).await?;
        }
        if renewed.elapsed() >= RENEW_EVERY {
            // A camera that knows no renewing keeps a pull point alive by its pulls.
            if let Err(Broken::Device(reason)) = camera.ask(Ask::Renew).await {
                tracing::debug!(reason, "the pull point was not renewed");
            }
            renewed = Instant::now();
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A camera with a pull point.
struct Session {
    client: Client,
    /// The device service, as configured.
    device: String,
    /// Where the pull point is; the event service before there is one.
    at: String,
    login: Option<Login>,
    /// By how much the camera's clock is ahead of the box's.
    ahead: SignedDuration,
}

impl Session {
    async fn open(url: &str, login: Option<&(String, PathBuf)>) -> Result<Self, Broken> {
        let login = match login {
            Some((user, file)) => {
                Some(Login { user: user.clone(), password: password(file).await? })
            }
            None => None,
        };
        let mut session = Self {
            client: client()?,
            device: url.to_owned(),
            at: url.to_owned(),
            login: None,
            ahead: SignedDuration::ZERO,
        };
        let clock = session.ask(Ask::Clock).await?;
        let now = Timestamp::now();
        let theirs = soap::clock(&clock).ok_or_else(|| session.broken("tells no time"))?;
        session.ahead = theirs.duration_since(now);
        session.login = login;
        let events = session.ask(Ask::Events).await?;
        let service = soap::event_service(&events)
            .ok_or_else(|| session.broken("has no events; switch ONVIF events on in it"))?;
        session.at = soap::reached_at(url, service);
        let made = session.ask(Ask::Subscribe).await?;
        let point = soap::pull_point(&made)
            .ok_or_else(|| session.broken("makes no pull point; update its firmware"))?;
        session.at = soap::reached_at(url, point);
        Ok(session)
    }

    fn broken(&self, what: &str) -> Broken {
        Broken::Device(format!("the camera at {} {what}", self.device))
    }

    async fn ask(&self, ask: Ask) -> Result<Element, Broken> {
        let token = self.login.as_ref().map(|login| {
            let created = Timestamp::now().checked_add(self.ahead).unwrap_or(Timestamp::UNIX_EPOCH);
            soap::token(login, rand::random(), created)
        });
        let request = soap::request(ask, &self.at, token.as_deref().unwrap_or_default());
        let asked = timeout(ANSWER_WITHIN, self.exchange(request)).await;
        let text = match asked {
            Ok(Ok(text)) => text,
            Ok(Err(error)) => {
                let what = format!("can not be reached ({}); check its address and supply", error);
                return Err(self.broken(&what));
            }
            Err(_) => return Err(self.broken("does not answer; check its supply and network")),
        };
        let body = soap::body(&text).map_err(|bad| {
            self.broken(&format!("does not speak ONVIF: {bad}; switch ONVIF on in its settings"))
        })?;
        match soap::fault(&body) {
            Some(words) => Err(self.broken(&refusal(ask, &words, soap::refuses_login(&body)))),
            None => Ok(body),
        }
    }

    async fn exchange(&self, request: String) -> Result<String, String> {
        let words = |error: reqwest::Error| error.without_url().to_string();
        let mut answer = self
            .client
            .post(&self.at)
            .header(header::CONTENT_TYPE, "application/soap+xml; charset=utf-8")
            .body(request)
            .send()
            .await
            .map_err(words)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(words)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > LONGEST {
                return Err(format!("it sent more than {LONGEST} bytes"));
            }
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// What a fault means. Once there is a pull point, the camera has taken the login.
fn refusal(ask: Ask, words: &str, login: bool) -> String {
    if matches!(ask, Ask::Pull | Ask::Renew) && !login {
        return format!(
            "ended the box's subscription to its events: {words}; the box subscribes anew"
        );
    }
    format!("refuses: {words}; check the ONVIF user and its password")
}

async fn password(file: &Path) -> Result<String, Broken> {
    let read = tokio::fs::read_to_string(file).await;
    let read = read.map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
    read.map_err(|error| {
        Broken::Device(format!("{}: {error}; write the camera's password there", file.display()))
    })
}

/// Cameras of a home speak plain HTTP; no certificate is trusted.
fn client() -> Result<Client, Broken> {
    let no = |error: String| Broken::Device(format!("an HTTP client can not be set up: {error}"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| no(error.to_string()))?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_WITHIN)
        .user_agent("anju")
        .build()
        .map_err(|error| no(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(ask: Ask, code: &str, words: &str) -> String {
        let fault = format!(
            "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><s:Fault><s:Code>\
             <s:Value>s:Sender</s:Value><s:Subcode><s:Value>{code}</s:Value></s:Subcode></s:Code>\
             <s:Reason><s:Text xml:lang=\"en\">{words}</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>"
        );
        let body = soap::body(&fault).unwrap();
        refusal(ask, &soap::fault(&body).unwrap(), soap::refuses_login(&body))
    }

    #[test]
    fn a_subscription_that_ended_is_not_blamed_on_the_password() {
        for (code, words) in [
            ("wsrf-rw:ResourceUnknownFault", "Resource unknown"),
            ("ter:InvalidArgVal", "The subscription has expired"),
        ] {
            let told = told(Ask::Pull, code, words);
            assert!(told.contains("subscribes anew") && !told.contains("password"), "{told}");
        }
        for ask in [Ask::Pull, Ask::Subscribe] {
            let told = told(ask, "ter:NotAuthorized", "Sender not authorized");
            assert!(told.contains("password"), "{told}");
        }
    }
}
