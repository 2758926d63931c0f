//! All ways to people but one fail together: names that do not resolve, servers that hang or answer
//! with errors, no modem. The alert arrives by the one that is left, the journal says which failed
//! and why, and they are tried again.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::common::Box_;
use crate::modem_lab::Lab;
use crate::push_server::Mood;
use crate::sms::{Home, with_modem};

/// The alert must be there within this.
const ARRIVES_WITHIN: Duration = Duration::from_secs(5);

/// A server that takes connections and says nothing.
async fn hanging() -> u16 {
    serve(|mut socket| async move {
        let _ = socket.read_to_end(&mut Vec::new()).await;
    })
    .await
}

/// A web server that fails.
async fn broken() -> u16 {
    serve(|mut socket| async move {
        let _ = socket.read(&mut [0; 4096]).await;
        let answer = "HTTP/1.1 500 Broken\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let _ = socket.write_all(answer.as_bytes()).await;
    })
    .await
}

async fn serve<F>(speak: impl Fn(TcpStream) -> F + Send + 'static) -> u16
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(speak(socket));
        }
    });
    port
}

/// One contact over every way; only text and push can work.
async fn start(lab: Lab) -> Home {
    let (mail, robot) = (hanging().await, broken().await);
    let contacts = move |anju: &Box_, push: &str| {
        let secret = anju.dir.path().join("secret");
        std::fs::write(&secret, "SECsecret").unwrap();
        format!(
            r#"[[contact]]
id = "daughter"
role = "family"
phone = "+8613800000000"
mail = "daughter@mail.example"
ntfy_topic = "topic-daughter"
channels = ["sms", "ntfy", "wecom", "dingtalk", "mail"]
[channels.ntfy]
url = "{push}"
[channels.wecom]
url = "http://127.0.0.1:{robot}/send"
key_file = {secret:?}
[channels.dingtalk]
url = "http://nowhere.invalid/send"
token_file = {secret:?}
secret_file = {secret:?}
[channels.mail]
url = "smtp://127.0.0.1:{mail}"
from = "box@mail.example"
[links.zigbee]"#
        )
    };
    Home::with(lab, contacts).await
}

/// Each of them failed, with its reason, and was tried again.
async fn failed(home: &Home, ways: &[(&str, &str)]) {
    for (channel, why) in ways {
        let first = home
            .anju
            .until_recorded("cn.anju.delivery.failed", |data| data["channel"] == *channel)
            .await;
        let said = first["detail"].as_str().unwrap();
        assert!(said.contains(why), "{channel}: {said}");
        home.anju
            .until_recorded("cn.anju.delivery.failed", |data| {
                data["channel"] == *channel && data["attempt"].as_u64() > Some(1)
            })
            .await;
    }
}

const DEAD: [(&str, &str); 3] =
    [("wecom", "500"), ("dingtalk", "lookup"), ("mail", "did not finish")];

#[tokio::test(flavor = "multi_thread")]
async fn a_text_arrives_when_all_servers_are_dead() {
    let mut home = start(with_modem().await).await;
    home.modem_works().await;
    home.push.mood(Mood::Answers(500));
    let began = Instant::now();
    home.press("emergency").await;
    home.text("安居告警").await;
    let took = began.elapsed();
    println!("press to the only way left, a text: {took:?}");
    assert!(took < ARRIVES_WITHIN, "{took:?}");
    failed(&home, &DEAD).await;
    failed(&home, &[("ntfy", "500")]).await;
    assert!(home.anju.stop() < Duration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_message_arrives_when_the_modem_and_all_other_servers_are_dead() {
    let mut home = start(Lab::new()).await;
    let began = Instant::now();
    home.press("emergency").await;
    home.push.next().await;
    let took = began.elapsed();
    println!("press to the only way left, a push message: {took:?}");
    assert!(took < ARRIVES_WITHIN, "{took:?}");
    failed(&home, &DEAD).await;
    failed(&home, &[("sms", "ModemManager")]).await;
    assert!(home.anju.stop() < Duration::from_secs(2));
}
