//! systemd is told that the box is ready, that it lives, and that it stops.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use crate::common::{Box_, Broker, DEADLINE, Peer};

fn heard(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 256];
    let count = socket.recv(&mut bytes).expect("a word to systemd in time");
    String::from_utf8(bytes[..count].to_vec()).unwrap()
}

#[test]
fn systemd_is_told_that_the_box_lives() {
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut anju = Box_::new(zigbee.port, upstream.port);
    let path = anju.dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    anju.start_with(|command| {
        command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "300000");
    });
    let mut said = Vec::new();
    while said.iter().filter(|word: &&String| word.contains("WATCHDOG=1")).count() < 5 {
        said.push(heard(&socket));
    }
    assert!(said[0].contains("READY=1"), "{said:?}");
    assert!(anju.stop() < Duration::from_secs(2));
    while !heard(&socket).contains("STOPPING=1") {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_systemd_that_reads_nothing_holds_up_neither_the_box_nor_its_stop() {
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    let path = anju.dir.path().join("notify");
    let _deaf = UnixDatagram::bind(&path).unwrap();
    let filler = UnixDatagram::unbound().unwrap();
    filler.connect(&path).unwrap();
    filler.set_nonblocking(true).unwrap();
    while filler.send(b"full").is_ok() {}
    anju.start_with(|command| {
        command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "300000");
    });
    centre.event("cn.anju.box.boot").await;
    // A reload is heard by the same loop that feeds the watchdog.
    anju.reload();
    centre.event("cn.anju.box.config").await;
    anju.reload();
    centre.event("cn.anju.box.config").await;
    assert!(anju.stop() < Duration::from_secs(2));
}
