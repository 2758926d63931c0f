//! Settings of the ways to contacts. Secrets are never here: only the files that hold them.

use std::path::PathBuf;

use super::ChannelKind;

/// The channels that are set up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Channels {
    /// Push messages by ntfy.
    pub ntfy: Option<Ntfy>,
    /// The robot of a WeCom group.
    pub wecom: Option<Wecom>,
    /// The robot of a DingTalk group.
    pub dingtalk: Option<Dingtalk>,
    /// Mail.
    pub mail: Option<Mail>,
    /// Text messages by the box's own modem.
    pub sms: Option<Sms>,
}

impl Channels {
    /// These, and those of `others` that are not among them.
    pub fn or(self, others: &Self) -> Self {
        Self {
            ntfy: self.ntfy.or_else(|| others.ntfy.clone()),
            wecom: self.wecom.or_else(|| others.wecom.clone()),
            dingtalk: self.dingtalk.or_else(|| others.dingtalk.clone()),
            mail: self.mail.or_else(|| others.mail.clone()),
            sms: self.sms.or(others.sms),
        }
    }

    /// Files that hold secrets.
    pub fn secret_files(&self) -> Vec<PathBuf> {
        let ntfy = self.ntfy.iter().filter_map(|ntfy| ntfy.token_file.clone());
        let wecom = self.wecom.iter().map(|wecom| wecom.key_file.clone());
        let dingtalk =
            self.dingtalk.iter().flat_map(|d| [d.token_file.clone(), d.secret_file.clone()]);
        let mail = self.mail.iter().filter_map(|mail| Some(mail.login.clone()?.1));
        ntfy.chain(wecom).chain(dingtalk).chain(mail).collect()
    }

    /// The server of each channel: host and port.
    pub fn servers(&self) -> Vec<(ChannelKind, String, u16)> {
        let http = [
            (ChannelKind::Ntfy, self.ntfy.as_ref().map(|ntfy| &ntfy.url)),
            (ChannelKind::Wecom, self.wecom.as_ref().map(|wecom| &wecom.url)),
            (ChannelKind::Dingtalk, self.dingtalk.as_ref().map(|dingtalk| &dingtalk.url)),
        ];
        let http = http.into_iter().filter_map(|(kind, url)| {
            let (host, port) = super::value::host_and_port(url?)?;
            Some((kind, host, port))
        });
        let mail = self.mail.iter().map(|mail| (ChannelKind::Mail, mail.host.clone(), mail.port));
        http.chain(mail).collect()
    }
}

/// An ntfy server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ntfy {
    /// Base URL, `https://…` or `http://…`, without a slash at the end.
    pub url: String,
    /// File that holds the access token.
    pub token_file: Option<PathBuf>,
    /// Whether push texts may carry names and rooms; they leave the home in the clear at the
    /// server. Default false.
    pub details: bool,
}

/// The robot of a WeCom group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wecom {
    /// Address of the service, without the key.
    pub url: String,
    /// File that holds the robot's key.
    pub key_file: PathBuf,
    /// Whether texts may carry names and rooms.
    pub details: bool,
}

/// The robot of a DingTalk group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dingtalk {
    /// Address of the service, without the token.
    pub url: String,
    /// File that holds the robot's token.
    pub token_file: PathBuf,
    /// File that holds the secret for signatures.
    pub secret_file: PathBuf,
    /// Whether texts may carry names and rooms.
    pub details: bool,
}

/// Text messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sms {
    /// Whether texts may carry names and rooms.
    pub details: bool,
}

/// A server that sends mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// TLS from the start (`smtps://`), rather than STARTTLS.
    pub implicit_tls: bool,
    /// Host name.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Address that the mail comes from.
    pub from: String,
    /// User name, and the file that holds the password.
    pub login: Option<(String, PathBuf)>,
    /// CA certificates that may sign the server's; the system's if absent.
    pub ca: Option<PathBuf>,
    /// Whether texts may carry names and rooms.
    pub details: bool,
}
