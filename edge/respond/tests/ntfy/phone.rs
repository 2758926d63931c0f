//! What a phone does with a message: its side of HTTP is written out here, since the box's client
//! must not judge itself.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Does exactly what a phone does when a button is pressed.
pub async fn press(message: &Value, label: &str) {
    let actions = message["actions"].as_array().unwrap();
    let action = actions.iter().find(|a| a["label"] == label).unwrap();
    assert_eq!(action["action"], "http");
    let method: Method = action["method"].as_str().unwrap().parse().unwrap();
    let (url, body) = (action["url"].as_str().unwrap(), action["body"].as_str().unwrap());
    let status = send(method, url, body).await;
    assert_eq!(status, 200);
}

struct Method(String);

impl std::str::FromStr for Method {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = ["POST", "PUT", "GET"].contains(&text);
        known.then(|| Self(text.to_owned())).ok_or_else(|| text.to_owned())
    }
}

async fn send(method: Method, url: &str, body: &str) -> u16 {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let request = format!(
        "{} /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        method.0,
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer);
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}
