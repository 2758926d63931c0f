//! SOAP to a camera: the requests of ONVIF's core specification that events need, and what their
//! answers say. No I/O. The password must never stand in a request: only its digest does (WSS
//! UsernameToken Profile 1.0, section 3).

use jiff::Timestamp;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::xml::{self, BadXml, Element, escaped};

/// Who asks.
#[derive(Clone)]
pub struct Login {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// The camera's clock; every camera answers without a login.
    Clock,
    /// Where its event service is.
    Events,
    /// A pull point.
    Subscribe,
    /// What has happened since; waits up to 20 s for something.
    Pull,
    /// That the pull point is kept.
    Renew,
}

impl Ask {
    const fn action(self) -> &'static str {
        match self {
            Ask::Clock => "http://www.onvif.org/ver10/device/wsdl/GetSystemDateAndTime",
            Ask::Events => "http://www.onvif.org/ver10/device/wsdl/GetCapabilities",
            Ask::Subscribe => {
                "http://www.onvif.org/ver10/events/wsdl/EventPortType/CreatePullPointSubscriptionRequest"
            }
            Ask::Pull => {
                "http://www.onvif.org/ver10/events/wsdl/PullPointSubscription/PullMessagesRequest"
            }
            Ask::Renew => "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/RenewRequest",
        }
    }

    const fn body(self) -> &'static str {
        match self {
            Ask::Clock => "<tds:GetSystemDateAndTime/>",
            Ask::Events => {
                "<tds:GetCapabilities><tds:Category>Events</tds:Category></tds:GetCapabilities>"
            }
            Ask::Subscribe => {
                "<tev:CreatePullPointSubscription><tev:InitialTerminationTime>PT2M\
                 </tev:InitialTerminationTime></tev:CreatePullPointSubscription>"
            }
            Ask::Pull => {
                "<tev:PullMessages><tev:Timeout>PT20S</tev:Timeout><tev:MessageLimit>64\
                 </tev:MessageLimit></tev:PullMessages>"
            }
            Ask::Renew => {
                "<wsnt:Renew><wsnt:TerminationTime>PT2M</wsnt:TerminationTime></wsnt:Renew>"
            }
        }
    }
}

/// The request; `token` from [`token`], empty without a login.
pub fn request(ask: Ask, to: &str, token: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:a=\"http://www.w3.org/2005/08/addressing\" \
         xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\" \
         xmlns:tev=\"http://www.onvif.org/ver10/events/wsdl\" \
         xmlns:wsnt=\"http://docs.oasis-open.org/wsn/b-2\">\
         <s:Header><a:Action>{}</a:Action><a:To>{}</a:To>{token}</s:Header>\
         <s:Body>{}</s:Body></s:Envelope>",
        ask.action(),
        escaped(to),
        ask.body(),
    )
}

/// The security header of a login, made at a time of the camera's clock with bytes never used before.
pub fn token(login: &Login, nonce: [u8; 16], created: Timestamp) -> String {
    const WSS: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss";
    let created = created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut secret = nonce.to_vec();
    secret.extend_from_slice(created.as_bytes());
    secret.extend_from_slice(login.password.as_bytes());
    let sum = base64(digest(&SHA1_FOR_LEGACY_USE_ONLY, &secret).as_ref());
    format!(
        "<wsse:Security xmlns:wsse=\"{WSS}-wssecurity-secext-1.0.xsd\" \
         xmlns:wsu=\"{WSS}-wssecurity-utility-1.0.xsd\" s:mustUnderstand=\"1\">\
         <wsse:UsernameToken><wsse:Username>{}</wsse:Username>\
         <wsse:Password Type=\"{WSS}-username-token-profile-1.0#PasswordDigest\">{sum}</wsse:Password>\
         <wsse:Nonce EncodingType=\"{WSS}-soap-message-security-1.0#Base64Binary\">{}</wsse:Nonce>\
         <wsu:Created>{created}</wsu:Created></wsse:UsernameToken></wsse:Security>",
        escaped(&login.user),
        base64(&nonce),
    )
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// The body of an answer.
///
/// # Errors
/// [`BadXml`]; a fault is a body too.
pub fn body(text: &str) -> Result<Element, BadXml> {
    let envelope = xml::parse(text)?;
    envelope.child("Body").and_then(|body| body.children.first()).cloned().ok_or(BadXml)
}

/// The words of a fault, if the body is one.
pub fn fault(body: &Element) -> Option<String> {
    if body.name != "Fault" {
        return None;
    }
    let words = body.at(&["Reason", "Text"]).or_else(|| body.child("faultstring"));
    let words = words.map_or("no reason given", |element| element.text.as_str());
    Some(words.chars().take(200).collect())
}

/// Whether a fault is about who asks (ONVIF Core Specification, section 5.11.2: `ter:NotAuthorized`; WSS
/// SOAP Message Security 1.1, section 12: `FailedAuthentication`, `InvalidSecurity`).
pub fn refuses_login(fault: &Element) -> bool {
    const LOGIN: &[&str] = &["auth", "security", "password", "login", "credential"];
    let about = |text: &str| {
        let text = text.to_ascii_lowercase();
        LOGIN.iter().any(|word| text.contains(word))
    };
    about(&fault.text) || fault.children.iter().any(refuses_login)
}

/// The camera's clock out of the answer to [`Ask::Clock`].
pub fn clock(body: &Element) -> Option<Timestamp> {
    let utc = body.at(&["SystemDateAndTime", "UTCDateTime"])?;
    let number = |path: [&str; 2]| utc.at(&path)?.text.parse::<i16>().ok();
    let small = |path: [&str; 2]| i8::try_from(number(path)?).ok();
    let civil = jiff::civil::DateTime::new(
        number(["Date", "Year"])?,
        small(["Date", "Month"])?,
        small(["Date", "Day"])?,
        small(["Time", "Hour"])?,
        small(["Time", "Minute"])?,
        small(["Time", "Second"])?,
        0,
    );
    jiff::tz::TimeZone::UTC.to_timestamp(civil.ok()?).ok()
}

/// The event service out of the answer to [`Ask::Events`].
pub fn event_service(body: &Element) -> Option<&str> {
    Some(body.at(&["Capabilities", "Events", "XAddr"])?.text.as_str())
}

/// The pull point out of the answer to [`Ask::Subscribe`].
pub fn pull_point(body: &Element) -> Option<&str> {
    Some(body.at(&["SubscriptionReference", "Address"])?.text.as_str())
}

/// An address that the camera gave, at the host that it is really reached at: behind a router and
/// after a move, cameras give one of their own.
pub fn reached_at(device: &str, given: &str) -> String {
    let split = |url: &str| -> Option<(String, String)> {
        let rest = url.trim().strip_prefix("http://")?;
        let slash = rest.find('/').unwrap_or(rest.len());
        Some((rest.get(..slash)?.to_owned(), rest.get(slash..)?.to_owned()))
    };
    match (split(device), split(given)) {
        (Some((host, _)), Some((_, path))) => format!("http://{host}{path}"),
        _ => device.to_owned(),
    }
}
