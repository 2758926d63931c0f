//! A mail server that keeps what it gets: SMTP (RFC 5321) with STARTTLS (RFC 3207) on one port and
//! TLS from the start on another, and AUTH PLAIN (RFC 4954). It can be told to fail.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::LIMIT;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Fine,
    /// Offers no STARTTLS.
    Plain,
    /// Says nothing at all.
    Hangs,
    /// Does not know whom the mail is for.
    RefusesRecipients,
    /// Has no time now.
    Busy,
}

/// A mail that was taken: who it was for, and its text.
pub type Mail = (String, String);

pub struct Sink {
    pub starttls: SocketAddr,
    pub tls: SocketAddr,
    /// The certificate that signed the server's, PEM.
    pub ca: String,
    mails: mpsc::UnboundedReceiver<Mail>,
}

impl Sink {
    pub async fn start(mood: Mood) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (tell, mails) = mpsc::unbounded_channel();
        let open = || async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            (listener, address)
        };
        let ((plain, starttls), (wrapped, tls)) = (open().await, open().await);
        tokio::spawn(accept(plain, acceptor.clone(), mood, tell.clone(), false));
        tokio::spawn(accept(wrapped, acceptor, mood, tell, true));
        Self { starttls, tls, ca: made.cert.pem(), mails }
    }

    pub async fn next(&mut self) -> Mail {
        tokio::time::timeout(LIMIT, self.mails.recv()).await.expect("no mail came").unwrap()
    }
}

type Tell = mpsc::UnboundedSender<Mail>;

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, mood: Mood, tell: Tell, tls: bool) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, tell) = (acceptor.clone(), tell.clone());
        tokio::spawn(async move {
            // A client may hang up at any time.
            let _ = serve(stream, acceptor, mood, tell, tls).await;
        });
    }
}

async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    mood: Mood,
    tell: Tell,
    tls: bool,
) -> std::io::Result<()> {
    if mood == Mood::Hangs {
        std::future::pending::<()>().await;
    }
    if tls {
        return talk(acceptor.accept(stream).await?, mood, tell, true, true).await.map(|_| ());
    }
    let Some(stream) = talk(stream, mood, tell.clone(), false, true).await? else { return Ok(()) };
    talk(acceptor.accept(stream).await?, mood, tell, true, false).await.map(|_| ())
}

/// Talks until the client wants TLS, whose stream is given back, or leaves.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    mood: Mood,
    tell: Tell,
    secure: bool,
    greet: bool,
) -> std::io::Result<Option<S>> {
    let mut stream = BufReader::new(stream);
    if greet {
        stream.write_all(b"220 sink\r\n").await?;
    }
    let (mut signed_in, mut to, mut line) = (false, String::new(), String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let verb = line.trim_end().to_ascii_uppercase();
        let answer = match verb.split([' ', ':']).next().unwrap() {
            "EHLO" if secure => "250-sink\r\n250 AUTH PLAIN\r\n",
            "EHLO" if mood == Mood::Plain => "250 sink\r\n",
            "EHLO" => "250-sink\r\n250 STARTTLS\r\n",
            "STARTTLS" => {
                stream.write_all(b"220 go\r\n").await?;
                return Ok(Some(stream.into_inner()));
            }
            // base64 of NUL box NUL p-secret
            "AUTH" if secure && line.contains("AGJveABwLXNlY3JldA==") => {
                signed_in = true;
                "235 welcome\r\n"
            }
            "AUTH" => "535 wrong password\r\n",
            "MAIL" if !signed_in => "530 sign in first\r\n",
            "MAIL" if mood == Mood::Busy => "451 try later\r\n",
            "MAIL" => "250 fine\r\n",
            "RCPT" if mood == Mood::RefusesRecipients => "550 no such user\r\n",
            "RCPT" => {
                line.trim_end().clone_into(&mut to);
                "250 fine\r\n"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let mut text = String::new();
                while !text.ends_with("\r\n.\r\n") {
                    if stream.read_line(&mut text).await? == 0 {
                        return Ok(None);
                    }
                }
                let _ = tell.send((to.clone(), text));
                "250 kept\r\n"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(None);
            }
            _ => "250 fine\r\n",
        };
        stream.write_all(answer.as_bytes()).await?;
    }
}
