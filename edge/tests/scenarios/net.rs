//! Devices of the home network: a camera that speaks ONVIF over HTTP, a satellite that hears a wake
//! word, a set-top box that answers.

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::home::{Home, alarm};

const ROWS: &str = r#"
[links.lan]
kind = "net"
[[device]]
id = "yard"
kind = "camera"
link = "lan"
protocol = "onvif"
address = "CAMERA"
[[device]]
id = "ear"
kind = "voice-alarm"
room = "bedroom"
link = "lan"
protocol = "wyoming"
address = "SATELLITE"
wake_words = ["jiu ming"]
[[device]]
id = "television"
kind = "set-top-box"
link = "lan"
protocol = "presence"
address = "BOX"
poll = "5s"
[guard.voice]
answer_within = "2s"
"#;

/// Answers of a camera, by a word of what it is asked.
const ANSWERS: [(&str, &str); 4] = [
    (
        "GetSystemDateAndTime",
        "<d:GetSystemDateAndTimeResponse><d:SystemDateAndTime><t:UTCDateTime><t:Time><t:Hour>7</t:Hour>\
         <t:Minute>0</t:Minute><t:Second>1</t:Second></t:Time><t:Date><t:Year>2026</t:Year>\
         <t:Month>11</t:Month><t:Day>25</t:Day></t:Date></t:UTCDateTime></d:SystemDateAndTime>\
         </d:GetSystemDateAndTimeResponse>",
    ),
    (
        "GetCapabilities",
        "<d:GetCapabilitiesResponse><d:Capabilities><t:Events><t:XAddr>http://10.1.1.1/events</t:XAddr>\
         </t:Events></d:Capabilities></d:GetCapabilitiesResponse>",
    ),
    (
        "CreatePullPointSubscription",
        "<e:CreatePullPointSubscriptionResponse><e:SubscriptionReference><w:Address>\
         http://10.1.1.1/pull/7</w:Address></e:SubscriptionReference>\
         </e:CreatePullPointSubscriptionResponse>",
    ),
    (
        "PullMessages",
        "<e:PullMessagesResponse><n:NotificationMessage><n:Topic>tns1:VideoSource/MotionAlarm</n:Topic>\
         <n:Message><t:Message UtcTime='2026-11-25T07:00:02Z' PropertyOperation='Changed'><t:Data>\
         <t:SimpleItem Name='State' Value='true'/></t:Data></t:Message></n:Message>\
         </n:NotificationMessage></e:PullMessagesResponse>",
    ),
];

/// A camera that sees movement once and then nothing more.
async fn camera(listener: TcpListener) {
    let mut pulled = false;
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        loop {
            let (mut length, mut line) = (0, String::new());
            while stream.read_line(&mut line).await.unwrap_or(0) > 0 && line != "\r\n" {
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut request = vec![0; length];
            if length == 0 || stream.read_exact(&mut request).await.is_err() {
                break;
            }
            let request = String::from_utf8(request).unwrap();
            let asked = |(word, _): &&(&str, &str)| {
                request.contains(&format!("{word}>")) || request.contains(&format!("{word}/>"))
            };
            let Some((word, answer)) = ANSWERS.iter().find(asked) else { break };
            if *word == "PullMessages" && std::mem::replace(&mut pulled, true) {
                // Nothing more happens: the pull is left waiting.
                std::future::pending::<()>().await;
            }
            let body = format!(
                "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body>{answer}</s:Body></s:Envelope>"
            );
            let reply = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            stream.get_mut().write_all(reply.as_bytes()).await.unwrap();
        }
    }
}

/// A satellite that hears its wake word once it runs.
async fn satellite(listener: TcpListener) {
    let (stream, _) = listener.accept().await.unwrap();
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        let say = if line.contains("\"describe\"") {
            "{\"type\":\"info\",\"data\":{\"wake\":[],\"satellite\":{\"name\":\"bedroom\"}}}\n"
        } else if line.contains("\"run-satellite\"") {
            "{\"type\":\"detection\",\"data\":{\"name\":\"jiu ming\"}}\n"
        } else {
            continue;
        };
        write.write_all(say.as_bytes()).await.unwrap();
    }
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_of_the_network_are_heard_and_a_wake_word_raises_an_alarm() {
    let ((camera_port, camera_at), (satellite_port, satellite_at), (_box_port, box_at)) =
        (listener().await, listener().await, listener().await);
    tokio::spawn(camera(camera_port));
    tokio::spawn(satellite(satellite_port));
    let rows = ROWS
        .replace("CAMERA", &camera_at)
        .replace("SATELLITE", &satellite_at)
        .replace("BOX", &box_at);
    let mut home = Home::start(&rows).await;
    home.observed("ear", "help", json!({"state": "pressed", "phrase": "jiu ming"})).await;
    assert_eq!(home.raised("ear").await, alarm("help"));
    home.observed("yard", "camera", json!({"seen": "motion", "active": true})).await;
    home.observed("television", "power", json!({"on": true})).await;
}
