//! Electronic mail over SMTP, always encrypted: TLS from the start (`smtps://`) or STARTTLS that is
//! insisted on (`smtp://`). It must never hand a password to a server whose certificate it does not
//! trust.

use std::collections::HashMap;
use std::time::Duration;

use anju_model::ContactId;
use anju_model::config::{Household, Mail as Settings};
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::{AsyncSmtpTransport, Error};
use lettre::{AsyncTransport, Tokio1Executor};

use super::group::{self, Composed};
use super::http;
use super::post::{Allowance, Carried, Carrier, Letter, Proved, Proving, Refusal};
use crate::life::Notice;

/// Longest text in bytes, and longest subject in characters.
const MOST_BYTES: usize = 16 * 1024;
const LONGEST_SUBJECT: usize = 80;
/// Each step of the conversation, and the whole of it.
const STEP_WITHIN: Duration = Duration::from_secs(10);
const SENT_WITHIN: Duration = Duration::from_secs(15);
/// Providers block who sends more.
const ALLOWANCE: Allowance = Allowance { burst: 20, every: Duration::from_secs(30) };

/// The far side of the channel.
#[derive(Debug)]
pub struct Mail {
    settings: Settings,
    addresses: HashMap<ContactId, String>,
}

impl Mail {
    /// By the household's settings; `None` if it has no such channel.
    pub fn of(household: &Household) -> Option<Self> {
        let settings = household.channels.mail.clone()?;
        let address = |c: &anju_model::config::Contact| Some((c.id.clone(), c.mail.clone()?));
        Some(Self { settings, addresses: household.contacts.iter().filter_map(address).collect() })
    }

    async fn send(&self, letters: &[Letter]) -> Result<usize, Refusal> {
        let (message, count) = self.message(letters)?;
        let transport = self.transport().await?;
        match tokio::time::timeout(SENT_WITHIN, transport.send(message)).await {
            Ok(Ok(_)) => Ok(count),
            Ok(Err(error)) => Err(refusal(&error)),
            Err(_) => {
                let limit = SENT_WITHIN.as_secs();
                Err(Refusal::later(format!("the mail server did not finish within {limit} s")))
            }
        }
    }

    /// Signs in, says NOOP and leaves.
    async fn trial(&self) -> Result<Proved, Refusal> {
        let transport = self.transport().await?;
        match tokio::time::timeout(SENT_WITHIN, transport.test_connection()).await {
            Ok(Ok(true)) => Ok(Proved::Yes),
            Ok(Ok(false)) => Err(Refusal::later("the mail server hung up after the sign-in")),
            Ok(Err(error)) => Err(refusal(&error)),
            Err(_) => {
                let limit = SENT_WITHIN.as_secs();
                Err(Refusal::later(format!("the mail server did not finish within {limit} s")))
            }
        }
    }

    fn message(&self, letters: &[Letter]) -> Result<(Message, usize), Refusal> {
        let unfit = |why: String| Refusal::Unfit(why);
        let first = letters.first().ok_or_else(|| unfit("there is no letter".into()))?;
        let address = self
            .addresses
            .get(&first.notice.contact)
            .ok_or_else(|| unfit("the contact has no `mail`".into()))?;
        let to: Mailbox =
            address.parse().map_err(|_| unfit("the contact's `mail` is no address".into()))?;
        let from: Mailbox = self
            .settings
            .from
            .parse()
            .map_err(|_| Refusal::Never("`from` in [channels.mail] is no address".into()))?;
        let Composed { text, count } = group::compose(letters, self.settings.details, MOST_BYTES);
        let title = &group::words(first, self.settings.details).title;
        let mut subject: String = title.chars().take(LONGEST_SUBJECT).collect();
        if count > 1 {
            subject.push_str(&format!(" (+{})", count - 1));
        }
        // Another for each message: servers drop one whose id they have seen.
        let id = format!("<{:032x}@{}>", rand::random::<u128>(), from.email.domain());
        let message = Message::builder()
            .message_id(Some(id))
            .from(from)
            .to(to)
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|error| unfit(error.to_string()))?;
        Ok((message, count))
    }

    /// Made anew for each message, so that a changed password or certificate is used at once.
    async fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, Refusal> {
        let settings = &self.settings;
        let mut tls = TlsParameters::builder(settings.host.clone());
        if let Some(ca) = &settings.ca {
            let pem = http::secret(ca).await?;
            let certificate = Certificate::from_pem(pem.as_bytes())
                .map_err(|error| Refusal::later(format!("`ca` in [channels.mail]: {error}")))?;
            tls = tls.certificate_store(CertificateStore::None).add_root_certificate(certificate);
        }
        let tls = tls.build().map_err(|error| Refusal::later(format!("TLS: {error}")))?;
        let tls = if settings.implicit_tls { Tls::Wrapper(tls) } else { Tls::Required(tls) };
        let mut builder =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.host.clone())
                .port(settings.port)
                .timeout(Some(STEP_WITHIN))
                .tls(tls);
        if let Some((user, file)) = &settings.login {
            builder =
                builder.credentials(Credentials::new(user.clone(), http::secret(file).await?));
        }
        Ok(builder.build())
    }
}

/// What an error means (RFC 5321, 4.2.1; RFC 4954, 6 for what is wrong with a password).
fn refusal(error: &Error) -> Refusal {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    let code = error.status().map(|code| code.to_string());
    let said: String = inner.to_string().chars().filter(|c| !c.is_control()).take(200).collect();
    let why = match &code {
        Some(code) => format!("the mail server answered {code}: {said}"),
        None => format!("the mail server can not be used: {said}"),
    };
    match code.as_deref() {
        Some("530" | "534" | "535" | "538") => Refusal::Never(why),
        Some(_) if error.is_permanent() => Refusal::Unfit(why),
        _ => Refusal::later(why),
    }
}

impl Carrier for Mail {
    fn bundle(&self, notice: &Notice) -> Option<String> {
        Some(notice.contact.to_string())
    }

    fn allowance(&self) -> Option<Allowance> {
        Some(ALLOWANCE)
    }

    fn prove(&self) -> Proving<'_> {
        Box::pin(self.trial())
    }

    fn carry<'a>(&'a self, letters: &'a [Letter]) -> Carried<'a> {
        Box::pin(self.send(letters))
    }
}
