//! Decoders on captured text, and drivers against peers on real sockets.

use std::time::Duration;

use anju_model::config::NetBinding;
use anju_model::observation::{Camera, HelpState, Seen};
use anju_model::{DeviceId, Fact};
use proptest::prelude::*;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::onvif::notification::{Notice, notices};
use super::onvif::soap::{self, Ask, Login};
use super::onvif::xml;
use super::presence::Presence;
use super::wyoming::event::{BadStream, Decoder};
use super::*;
use crate::driver::Report;

const DEADLINE: Duration = Duration::from_secs(30);

struct Run {
    reports: mpsc::Receiver<Report>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<Result<(), DriverError>>,
    _commands: mpsc::Sender<crate::DeviceCommand>,
}

impl Run {
    fn start(kind: DeviceKind, binding: NetBinding) -> Self {
        let device = DeviceId::new("it").unwrap();
        let origin = Origin { device, kind, room: None, person: None };
        let driver = NetDriver {
            name: "net:lan:it".to_owned(),
            origin,
            binding,
            detected: AtomicBool::new(false),
        };
        let (sender, reports) = mpsc::channel(16);
        let (commands, receiver) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let context = Context::new(sender, receiver, stop.clone());
        let task = tokio::spawn(Arc::new(driver).run(context));
        Self { reports, stop, task, _commands: commands }
    }

    async fn next(&mut self) -> Observation {
        let next = tokio::time::timeout(DEADLINE, self.reports.recv()).await;
        next.expect("nothing was said").unwrap().observation
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }
}

/// As Linux 6.1 writes it.
const TABLE: &str = "\
IP address       HW type     Flags       HW address            Mask     Device
192.168.1.1      0x1         0x2         a4:2b:b0:11:22:33     *        eth0
192.168.1.40     0x1         0x0         00:00:00:00:00:00     *        eth0
192.168.1.41     0x1         0x6         A4:2B:B0:44:55:66     *        wlan0
";

#[test]
fn only_neighbours_that_answered_count() {
    let found = arp::decode(TABLE);
    let ips: Vec<String> = found.iter().map(|neighbour| neighbour.ip.to_string()).collect();
    assert_eq!(ips, ["192.168.1.1", "192.168.1.41"]);
    assert_eq!(found[1].mac, "a4:2b:b0:44:55:66".parse().unwrap());
    assert_eq!(arp::decode("192.168.1.1 0x1"), []);
}

#[test]
fn one_lost_packet_is_no_television_off() {
    let mut tv = Presence::default();
    assert_eq!(tv.looked(false), None);
    assert_eq!(tv.looked(false), Some((false, true)));
    assert_eq!(tv.looked(true), Some((true, false)));
    assert_eq!(tv.looked(false), None);
    assert_eq!(tv.looked(true), None);
    assert_eq!((tv.looked(false), tv.looked(false)), (None, Some((false, false))));
    assert_eq!(tv.looked(false), None);
}

#[tokio::test]
async fn a_set_top_box_that_refuses_is_on() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let poll = Duration::from_secs(5);
    let mut run = Run::start(DeviceKind::SetTopBox, NetBinding::Presence { address, poll });
    let said = run.next().await;
    assert_eq!(said.fact, anju_model::observation::Power { on: true }.into());
    assert!(said.baseline);
    run.end().await;
}

/// What a satellite of rhasspy/wyoming-satellite says of itself, shortened.
const INFO: &str = r#"{"type":"info","version":"1.5.4","data_length":117}
{"asr":[],"tts":[],"handle":[],"intent":[],"wake":[],"mic":[],"snd":[],"satellite":{"name":"bedroom","installed":true}}"#;

/// A voice alarm whose driver has connected, and the service's end of the connection.
async fn asked_who_it_is() -> (Run, Lines<BufReader<OwnedReadHalf>>, OwnedWriteHalf) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let wake_words = vec!["jiu ming".to_owned()];
    let run = Run::start(DeviceKind::VoiceAlarm, NetBinding::Wyoming { address, wake_words });
    let (stream, _) = listener.accept().await.unwrap();
    let (read, write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    assert!(lines.next_line().await.unwrap().unwrap().contains("\"describe\""));
    (run, lines, write)
}

#[tokio::test]
async fn a_wake_word_calls_for_help_and_the_satellite_listens_again() {
    let (mut run, mut lines, mut write) = asked_who_it_is().await;
    let mut next = async || lines.next_line().await.unwrap().unwrap();
    let (head, data) = INFO.split_once('\n').unwrap();
    let head = head.replace("117", &data.len().to_string());
    write.write_all(format!("{head}\n{data}").as_bytes()).await.unwrap();
    assert!(next().await.contains("\"run-satellite\""));
    assert!(matches!(run.next().await.fact, Fact::Online(online) if online.online));
    // A word that is not for help, then one that is, with sound after it.
    let other = r#"{"type":"detection","data":{"name":"hey jarvis","timestamp":1}}"#;
    write.write_all(format!("{other}\n").as_bytes()).await.unwrap();
    assert!(next().await.contains("\"transcript\""));
    let help = r#"{"type":"detection","data":{"name":"Jiu_Ming","timestamp":2}}"#;
    let sound = r#"{"type":"audio-chunk","data":{"rate":16000},"payload_length":4}"#;
    write.write_all(format!("{help}\n{sound}\n\n\n\n\n").as_bytes()).await.unwrap();
    let Fact::Help(said) = run.next().await.fact else { panic!("help was called") };
    assert_eq!((said.state, said.phrase.as_deref()), (HelpState::Pressed, Some("Jiu_Ming")));
    assert!(next().await.contains("\"transcript\""));
    drop((write, lines));
    let error = run.task.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("ended the connection"), "{error}");
}

#[tokio::test]
async fn a_service_without_a_microphone_is_in_trouble_until_it_detects() {
    let (mut run, mut lines, mut write) = asked_who_it_is().await;
    let mut next = async || lines.next_line().await.unwrap().unwrap();
    // What wyoming-openwakeword says of itself, shortened.
    let info = r#"{"type":"info","data":{"asr":[],"wake":[{"name":"openwakeword","installed":true,"models":[{"name":"jiu_ming"}]}],"mic":[]}}"#;
    write.write_all(format!("{info}\n").as_bytes()).await.unwrap();
    assert!(next().await.contains("\"detect\""));
    assert!(matches!(run.next().await.fact, Fact::Online(online) if online.online));
    let Fact::Trouble(trouble) = run.next().await.fact else { panic!("it can not hear") };
    assert!(trouble.active && trouble.reason.contains("hears only what is sent to it"));
    // Told once, however often it says who it is.
    write.write_all(format!("{info}\n").as_bytes()).await.unwrap();
    let word = r#"{"type":"detection","data":{"name":"jiu_ming"}}"#;
    for first in [true, false] {
        write.write_all(format!("{word}\n").as_bytes()).await.unwrap();
        assert!(matches!(run.next().await.fact, Fact::Help(_)));
        if first {
            assert!(matches!(run.next().await.fact, Fact::Trouble(over) if !over.active));
        }
    }
    run.end().await;
}

proptest! {
    #[test]
    fn events_come_out_however_they_are_cut(cuts in proptest::collection::vec(1_usize..40, 1..60)) {
        let stream = "{\"type\":\"a\",\"data\":{\"x\":1},\"payload_length\":3}\n\n{}{\"type\":\"b\",\
            \"data_length\":7}\n{\"y\":2}{\"type\":\"c\"}\n";
        let mut decoder = Decoder::default();
        let mut found = Vec::new();
        let mut rest = stream.as_bytes();
        let mut cuts = cuts.into_iter().cycle();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(cuts.next().unwrap_or(1).min(rest.len()));
            found.extend(decoder.feed(now).unwrap());
            rest = later;
        }
        let kinds: Vec<&str> = found.iter().map(|event| event.kind.as_str()).collect();
        prop_assert_eq!(kinds, ["a", "b", "c"]);
        prop_assert_eq!(found[1].data["y"].as_i64(), Some(2));
    }

    #[test]
    fn nothing_breaks_the_decoders(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in ".{0,200}") {
        fuzzed::wyoming(&bytes);
        fuzzed::arp(text.as_bytes());
        fuzzed::onvif(text.as_bytes());
    }
}

#[test]
fn what_is_no_wyoming_is_refused() {
    assert_eq!(Decoder::default().feed(b"HTTP/1.1 400\r\n"), Err(BadStream::Header));
    let large = b"{\"type\":\"x\",\"payload_length\":99999999999}\n";
    assert_eq!(Decoder::default().feed(large), Err(BadStream::Size));
    assert_eq!(Decoder::default().feed(&vec![b'x'; 300_000]), Err(BadStream::Size));
}

/// The example of ONVIF's Application Programmer's Guide, section 6.1.1.3.
#[test]
fn the_digest_is_that_of_the_programmers_guide() {
    let login = Login { user: "user".to_owned(), password: "userpassword".to_owned() };
    let nonce = *b"\x2c\xaa\x88\xe8\x6f\xc0\x8a\x42\x82\x42\xb3\x74\xce\xa6\x45\x96";
    let token = soap::token(&login, nonce, "2010-09-16T07:50:45Z".parse().unwrap());
    assert!(token.contains(">tuOSpGlFlIXsozq4HFNeeGeFLEI=<"), "{token}");
    assert!(token.contains(">LKqI6G/AikKCQrN0zqZFlg==<"));
    assert!(!token.contains("userpassword") && !format!("{login:?}").contains("userpassword"));
}

#[test]
fn an_address_is_reached_where_the_camera_really_is() {
    let device = "http://192.168.1.9:8000/onvif/device_service";
    assert_eq!(
        soap::reached_at(device, "http://10.0.0.2/onvif/events?id=3"),
        "http://192.168.1.9:8000/onvif/events?id=3"
    );
    assert_eq!(soap::reached_at(device, "nonsense"), device);
}

const fn envelope(body: &str) -> (&str, &str, &str) {
    (
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<env:Envelope xmlns:env=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:tt=\"http://www.onvif.org/ver10/schema\"><env:Header/><env:Body>",
        body,
        "</env:Body></env:Envelope>",
    )
}

fn answer(body: &str) -> String {
    let (head, body, tail) = envelope(body);
    format!("{head}{body}{tail}")
}

fn message(topic: &str, operation: &str, item: &str, value: &str) -> String {
    format!(
        "<wsnt:NotificationMessage><wsnt:Topic Dialect=\"http://www.onvif.org/ver10/tev/\
         topicExpression/ConcreteSet\">{topic}</wsnt:Topic><wsnt:Message><tt:Message \
         UtcTime=\"2026-11-25T07:00:00Z\" PropertyOperation=\"{operation}\"><tt:Source>\
         <tt:SimpleItem Name=\"Source\" Value=\"VideoSource_1\"/></tt:Source><tt:Data>\
         <tt:SimpleItem Name=\"{item}\" Value=\"{value}\"/></tt:Data></tt:Message></wsnt:Message>\
         </wsnt:NotificationMessage>"
    )
}

const ALARM: &str = "tns1:VideoSource/MotionAlarm";
const CELLS: &str = "tns1:RuleEngine/CellMotionDetector/Motion";

#[test]
fn only_a_change_of_a_known_topic_is_an_event() {
    let read = |messages: &[String]| {
        let text = answer(&format!(
            "<tev:PullMessagesResponse>{}</tev:PullMessagesResponse>",
            messages.concat()
        ));
        notices(&soap::body(&text).unwrap())
    };
    let seen = Seen::Motion;
    assert_eq!(
        read(&[
            message(ALARM, "Initialized", "State", "false"),
            message(CELLS, "Changed", "IsMotion", "true"),
            message(ALARM, "Changed", "State", "1"),
            message(ALARM, "Deleted", "State", "true"),
            message("tns1:Device/Trigger/DigitalInput", "Changed", "State", "true"),
            message(ALARM, "Changed", "Other", "true"),
            message(ALARM, "Changed", "State", "perhaps"),
        ]),
        [
            Notice { seen, active: false, baseline: true },
            Notice { seen, active: true, baseline: false },
            Notice { seen, active: true, baseline: false },
        ]
    );
    assert_eq!(read(&[]), []);
}

#[test]
fn a_camera_that_tells_people_apart_says_person() {
    let read = |message: &str| {
        let text =
            answer(&format!("<tev:PullMessagesResponse>{message}</tev:PullMessagesResponse>"));
        let said = notices(&soap::body(&text).unwrap());
        said.first().map(|notice| (notice.seen, notice.active))
    };
    let inside = "tns1:RuleEngine/FieldDetector/ObjectsInside";
    for (topic, item, seen) in [
        ("tns1:RuleEngine/MyRuleDetector/PeopleDetect", "State", Some(Seen::Person)),
        ("tns1:RuleEngine/MyRuleDetector/FaceDetect", "State", Some(Seen::Person)),
        ("tns1:RuleEngine/MyRuleDetector/VehicleDetect", "State", Some(Seen::Motion)),
        ("tns1:RuleEngine/MyRuleDetector/Visitor", "State", None),
        ("tns1:RuleEngine/PeopleDetector/People", "IsPeople", Some(Seen::Person)),
        ("tns1:UserAlarm/IVA/HumanShapeDetect", "State", Some(Seen::Person)),
        ("tns1:RuleEngine/MotionRegionDetector/Motion", "State", Some(Seen::Motion)),
        (inside, "IsInside", Some(Seen::Motion)),
        ("tns1:RuleEngine/TamperDetector/Tamper", "IsTamper", None),
        ("tns1:Device/Trigger/DigitalInput", "LogicalState", None),
    ] {
        for (value, active) in [("true", true), ("0", false)] {
            let said = read(&message(topic, "Changed", item, value));
            assert_eq!(said, seen.map(|seen| (seen, active)), "{topic}");
        }
    }
    let typed = |of: &str| {
        message(inside, "Changed", "IsInside", "true").replace(
            "<tt:Data>",
            &format!("<tt:Data><tt:SimpleItem Name=\"ObjectType\" Value=\"{of}\"/>"),
        )
    };
    assert_eq!(read(&typed("Human")), Some((Seen::Person, true)));
    assert_eq!(read(&typed("Vehicle")), Some((Seen::Motion, true)));
    // Some send it as no property.
    let bare = message("tns1:UserAlarm/IVA/HumanShapeDetect", "Changed", "State", "true")
        .replace(" PropertyOperation=\"Changed\"", "");
    assert_eq!(read(&bare), Some((Seen::Person, true)));
}

#[test]
fn a_document_that_is_too_deep_or_broken_is_refused() {
    assert!(xml::parse(&"<a>".repeat(40)).is_err());
    assert!(xml::parse(&format!("{}{}", "<a>".repeat(40), "</a>".repeat(40))).is_err());
    assert!(xml::parse("<a>&unknown;</a>").is_err());
    assert!(xml::parse("<a><b></a>").is_err());
    assert!(xml::parse("").is_err());
    let text = xml::parse("<x:a n='1&amp;2'> one &lt; <![CDATA[two]]> </x:a>").unwrap();
    assert_eq!((text.text.as_str(), text.attribute("n")), ("one < two", Some("1&2")));
    let fault =
        answer("<s:Fault><s:Reason><s:Text>Sender not Authorized</s:Text></s:Reason></s:Fault>");
    let fault = soap::fault(&soap::body(&fault).unwrap());
    assert_eq!(fault.as_deref(), Some("Sender not Authorized"));
    assert!(soap::request(Ask::Clock, "http://a/?x&y", "").contains("http://a/?x&amp;y"));
}

/// A camera that wants a login, with its clock an hour ahead. Plays what it is asked for.
async fn camera(listener: TcpListener, pulls: Vec<String>) {
    let mut pulls = pulls.into_iter();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        loop {
            let mut length = 0;
            let mut line = String::new();
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
            let clock = request.contains("<tds:GetSystemDateAndTime/>");
            let known = request.contains("<wsse:Username>anju</wsse:Username>")
                && request.contains("<wsu:Created>2031-");
            let (status, body) = if clock {
                ("200 OK", "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time>\
                    <tt:Hour>8</tt:Hour><tt:Minute>5</tt:Minute><tt:Second>0</tt:Second></tt:Time><tt:Date>\
                    <tt:Year>2031</tt:Year><tt:Month>5</tt:Month><tt:Day>17</tt:Day></tt:Date>\
                    </tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>".to_owned())
            } else if !known {
                (
                    "400 Bad Request",
                    "<env:Fault><env:Reason><env:Text>Sender not Authorized</env:Text>\
                    </env:Reason></env:Fault>"
                        .to_owned(),
                )
            } else if request.contains("GetCapabilities>") {
                (
                    "200 OK",
                    "<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Events><tt:XAddr>\
                    http://10.9.8.7/onvif/event_service</tt:XAddr></tt:Events></tds:Capabilities>\
                    </tds:GetCapabilitiesResponse>"
                        .to_owned(),
                )
            } else if request.contains("CreatePullPointSubscription>") {
                ("200 OK", "<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference>\
                    <wsa:Address>http://10.9.8.7/onvif/sub/1</wsa:Address></tev:SubscriptionReference>\
                    </tev:CreatePullPointSubscriptionResponse>".to_owned())
            } else {
                assert!(request.contains("PullMessages>"), "{request}");
                let Some(messages) = pulls.next() else { return };
                (
                    "200 OK",
                    format!("<tev:PullMessagesResponse>{messages}</tev:PullMessagesResponse>"),
                )
            };
            let body = answer(&body);
            let reply = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/soap+xml\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.get_mut().write_all(reply.as_bytes()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_cameras_movement_is_heard_over_http() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "secret\n").unwrap();
    let pulls = vec![
        message(ALARM, "Initialized", "State", "true"),
        String::new(),
        message(ALARM, "Changed", "State", "false")
            + &message(CELLS, "Changed", "IsMotion", "true"),
    ];
    let begin = async |login| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/onvif/device_service", listener.local_addr().unwrap());
        let far = tokio::spawn(camera(listener, pulls.clone()));
        (Run::start(DeviceKind::Camera, NetBinding::Onvif { url, login }), far)
    };
    let (mut run, far) = begin(Some(("anju".to_owned(), file))).await;
    assert!(matches!(run.next().await.fact, Fact::Online(online) if online.online));
    let seen = Seen::Motion;
    for (active, baseline) in [(true, true), (false, false), (true, false)] {
        let said = run.next().await;
        assert_eq!((said.fact, said.baseline), (Camera { seen, active }.into(), baseline));
    }
    far.await.unwrap();
    let error = run.task.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("can not be reached"), "{error}");

    let (run, far) = begin(None).await;
    let error = run.task.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("Sender not Authorized") && error.contains("password"), "{error}");
    far.abort();
}
