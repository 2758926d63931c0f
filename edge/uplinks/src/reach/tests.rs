//! Over the loopback interface, which anybody may bind to.

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair, date_time_ymd};
use rustls::RootCertStore;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;

use super::*;

const WITHIN: Duration = Duration::from_secs(30);

fn way(interface: &str) -> Way {
    Way { interface: Some(interface.to_owned()), name_servers: Vec::new() }
}

fn target(host: &str, port: u16, tls: Option<Arc<ClientConfig>>) -> Target {
    Target { host: host.to_owned(), port, tls }
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[tokio::test]
async fn a_server_answers_over_the_interface_that_leads_to_it_and_over_no_other() {
    let (_listener, port) = listener().await;
    let (there, gone) = (target("127.0.0.1", port, None), target("127.0.0.1", 9, None));
    let both = [gone.clone(), there.clone()];
    assert_eq!(prove(&way("lo"), &both, 0, WITHIN).await, Ok(1));
    assert_eq!(prove(&way("lo"), &both, 1, WITHIN).await, Ok(1));
    assert_eq!(prove(&way("lo"), &both, 7, WITHIN).await, Ok(1));
    let refused = prove(&way("lo"), &[gone], 0, WITHIN).await.unwrap_err();
    assert!(refused.starts_with("127.0.0.1:9: "), "{refused}");
    assert!(prove(&way("no-such0"), &[there], 0, WITHIN).await.is_err());
    assert!(prove(&way("lo"), &[], 0, WITHIN).await.is_err());
}

/// A certificate for `box.test` that is good in those years, and a client that trusts its issuer.
fn certificate(years: std::ops::Range<i32>) -> (rustls::ServerConfig, Arc<ClientConfig>) {
    let ca = CertifiedIssuer::self_signed(
        {
            let mut params = CertificateParams::new([]).unwrap();
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            params
        },
        KeyPair::generate().unwrap(),
    )
    .unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["box.test".to_owned()]).unwrap();
    params.not_before = date_time_ymd(years.start, 1, 1);
    params.not_after = date_time_ymd(years.end, 1, 1);
    let own: CertificateDer<'static> = params.signed_by(&key, &ca).unwrap().into();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(ca.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (server, Arc::new(client))
}

async fn serve(server: rustls::ServerConfig) -> u16 {
    let (listener, port) = listener().await;
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = acceptor.accept(stream).await;
        }
    });
    port
}

async fn greeted(port: u16, host: &str, tls: &Arc<ClientConfig>) -> io::Result<()> {
    let stream = open(&way("lo"), SocketAddr::from(([127, 0, 0, 1], port))).await?;
    greet(stream, &target(host, port, Some(tls.clone()))).await
}

#[tokio::test]
async fn who_answers_with_the_name_of_another_has_not_answered() {
    let (server, client) = certificate(2020..2060);
    let (_, stranger) = certificate(2020..2060);
    let port = serve(server).await;
    greeted(port, "box.test", &client).await.unwrap();
    assert!(greeted(port, "other.test", &client).await.is_err(), "another name");
    assert!(greeted(port, "box.test", &stranger).await.is_err(), "a portal's certificate");
    let (server, client) = certificate(2001..2002);
    let port = serve(server).await;
    greeted(port, "box.test", &client).await.expect("a box without a clock judges no dates");
}

#[test]
fn this_machine_says_nothing_of_a_link() {
    for host in ["127.0.0.1", "::1", "localhost", "0.0.0.0", "a.localhost."] {
        assert!(!target(host, 1, None).is_outside(), "{host}");
    }
    for host in ["broker.example", "192.168.1.2", "2001:db8::1"] {
        assert!(target(host, 1, None).is_outside(), "{host}");
    }
}
