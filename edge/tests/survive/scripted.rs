//! A centre's broker that does what a test says: MQTT 5 by hand (OASIS, version 5.0), so that it
//! shares no code with the box's client. It acknowledges, refuses, is silent, or hangs up.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc};

use crate::common::Got;

/// What it does with a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// PUBACK with this reason code.
    Ack(u8),
    /// Nothing, ever.
    Silence,
    /// DISCONNECT with this reason code, then hang up.
    Disconnect(u8),
}

/// What happened at it.
#[derive(Debug)]
pub enum Event {
    /// A client connected.
    Connected,
    /// It published, and was answered.
    Published(Box<Got>, Answer),
}

impl Event {
    /// The event that was published, if it is one.
    pub fn json(&self) -> Value {
        match self {
            Event::Published(got, _) => serde_json::from_slice(&got.payload).unwrap_or_default(),
            Event::Connected => Value::Null,
        }
    }
}

type Script = Arc<Mutex<dyn FnMut(&Got, usize) -> Answer + Send>>;

/// A broker that follows a script.
pub struct Scripted {
    pub port: u16,
    pub events: mpsc::UnboundedReceiver<Event>,
    /// The answer to a subscription: 1 grants QoS 1, from 0x80 on it is a refusal.
    pub grants: Arc<AtomicU8>,
    raw: broadcast::Sender<Vec<u8>>,
    task: tokio::task::JoinHandle<()>,
}

impl Scripted {
    /// `connack` is what follows the length in each CONNACK: flags, reason, properties with their
    /// length. The script is given each publication and how many are unanswered.
    pub async fn start(
        connack: impl Fn(usize) -> Vec<u8> + Send + 'static,
        script: impl FnMut(&Got, usize) -> Answer + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tx, events) = mpsc::unbounded_channel();
        let (raw, _) = broadcast::channel(64);
        let orders = raw.clone();
        let grants = Arc::new(AtomicU8::new(1));
        let granted = grants.clone();
        let script: Script = Arc::new(Mutex::new(script));
        let task = tokio::spawn(async move {
            let mut connections = 0;
            while let Ok((stream, _)) = listener.accept().await {
                connections += 1;
                let hello = connack(connections);
                let answers = (script.clone(), granted.clone());
                let served = serve(stream, hello, answers, tx.clone(), orders.subscribe());
                tokio::spawn(async move {
                    // A connection that ends is the client's to mend.
                    let _ = served.await;
                });
            }
        });
        Self { port, events, grants, raw, task }
    }

    /// Accepts everything until told otherwise by the script.
    pub fn fine(_: usize) -> Vec<u8> {
        vec![0, 0, 0]
    }

    /// Sends bytes to whoever is connected.
    pub fn send(&self, bytes: Vec<u8>) {
        let _ = self.raw.send(bytes);
    }

    /// The next event that fits.
    pub async fn until(&mut self, what: &str, fits: impl Fn(&Event) -> bool) -> Event {
        let wait = async {
            loop {
                let event = self.events.recv().await.expect("the broker lives");
                if fits(&event) {
                    return event;
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(90), wait)
            .await
            .unwrap_or_else(|_| panic!("never came: {what}"))
    }

    /// Until an event of a CloudEvents type was published and answered with `answer`.
    pub async fn event(&mut self, kind: &str, answer: Answer) -> Value {
        let fits = |event: &Event| {
            matches!(event, Event::Published(_, given) if *given == answer)
                && event.json()["type"] == kind
        };
        self.until(kind, fits).await.json()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A PUBLISH packet at QoS 1.
pub fn publish(topic: &[u8], pkid: u16, retain: bool, payload: &[u8]) -> Vec<u8> {
    let mut body = u16::try_from(topic.len()).unwrap().to_be_bytes().to_vec();
    body.extend(topic);
    body.extend(pkid.to_be_bytes());
    body.push(0);
    body.extend(payload);
    let mut packet = vec![0x32 | u8::from(retain)];
    let mut length = body.len();
    loop {
        let byte = (length % 128) as u8;
        length /= 128;
        packet.push(if length > 0 { byte | 0x80 } else { byte });
        if length == 0 {
            break;
        }
    }
    packet.extend(body);
    packet
}

async fn serve(
    stream: TcpStream,
    hello: Vec<u8>,
    (script, grants): (Script, Arc<AtomicU8>),
    tx: mpsc::UnboundedSender<Event>,
    mut orders: broadcast::Receiver<Vec<u8>>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut read, mut write) = stream.into_split();
    let (out, mut queue) = mpsc::unbounded_channel::<Vec<u8>>();
    tokio::spawn(async move {
        loop {
            let bytes = tokio::select! {
                Some(bytes) = queue.recv() => bytes,
                Ok(bytes) = orders.recv() => bytes,
                else => return,
            };
            if bytes.is_empty() || write.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
    let mut unanswered = 0;
    loop {
        let first = read.read_u8().await?;
        let mut length = 0usize;
        for shift in [0, 7, 14, 21] {
            let byte = read.read_u8().await?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        read.read_exact(&mut body).await?;
        match first >> 4 {
            1 => {
                let mut packet = vec![0x20, u8::try_from(hello.len()).unwrap()];
                packet.extend(&hello);
                let _ = tx.send(Event::Connected);
                let _ = out.send(packet);
            }
            3 => {
                let (got, pkid) = read_publish(first, &body);
                unanswered += 1;
                let answer = (script.lock().unwrap())(&got, unanswered);
                let [high, low] = pkid.to_be_bytes();
                match answer {
                    Answer::Ack(reason) => {
                        unanswered -= 1;
                        let _ = out.send(vec![0x40, 4, high, low, reason, 0]);
                    }
                    Answer::Silence => {}
                    Answer::Disconnect(reason) => {
                        let _ = out.send(vec![0xe0, 2, reason, 0]);
                        let _ = out.send(Vec::new());
                    }
                }
                let _ = tx.send(Event::Published(Box::new(got), answer));
                if matches!(answer, Answer::Disconnect(_)) {
                    return Ok(());
                }
            }
            8 => {
                let granted = grants.load(Ordering::Relaxed);
                let _ = out.send(vec![0x90, 4, body[0], body[1], 0, granted]);
            }
            12 => {
                let _ = out.send(vec![0xd0, 0]);
            }
            14 => return Ok(()),
            _ => {}
        }
    }
}

fn read_publish(first: u8, body: &[u8]) -> (Got, u16) {
    let topic_end = 2 + usize::from(u16::from_be_bytes([body[0], body[1]]));
    let topic = String::from_utf8(body[2..topic_end].to_vec()).unwrap();
    let mut at = topic_end;
    let mut pkid = 0;
    if first & 0x06 != 0 {
        pkid = u16::from_be_bytes([body[at], body[at + 1]]);
        at += 2;
    }
    // Properties of a box's publication are short: their length is one byte, or two.
    let mut properties = usize::from(body[at] & 0x7f);
    if body[at] & 0x80 != 0 {
        at += 1;
        properties |= usize::from(body[at]) << 7;
    }
    at += 1 + properties;
    let retain = first & 1 != 0;
    (Got { topic, retain, payload: body[at..].to_vec(), properties: None }, pkid)
}
