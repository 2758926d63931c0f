//! One question by multicast DNS (RFC 6762, section 5.1: a one-shot query from a port of our own, so
//! that no other resolver of the machine is disturbed): who has this name. Whoever answers is on, and
//! tells its address. An answer must never be taken for a name that was not asked, nor a farewell for
//! an answer.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QTYPE, Question, TYPE};
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// Where devices hear such questions (RFC 6762, section 3).
pub const GROUP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(224, 0, 0, 251)), 5353);

/// Largest message (RFC 6762, section 17).
const LARGEST: usize = 9000;

/// Asks again after this, for a message may be lost.
const AGAIN: Duration = Duration::from_secs(1);

/// Times that are asked.
const TIMES: u32 = 3;

/// The question for the address of a name; `None` if that can be no name.
pub fn question(name: &str) -> Option<Vec<u8>> {
    let mut packet = Packet::new_query(0);
    let name = Name::new(name).ok()?;
    // The answer may come to us alone (section 5.4).
    packet.questions.push(Question::new(name, QTYPE::TYPE(TYPE::A), CLASS::IN.into(), true));
    packet.build_bytes_vec().ok()
}

/// The address that an answer gives to a name, if it is an answer and does.
pub fn address(message: &[u8], name: &str) -> Option<Ipv4Addr> {
    let packet = Packet::parse(message).ok()?;
    if !packet.has_flags(PacketFlag::RESPONSE) {
        return None;
    }
    packet.answers.iter().find_map(|record| match &record.rdata {
        // Without time to live it says that it goes (section 10.1).
        RData::A(a) if record.ttl > 0 && record.name.to_string().eq_ignore_ascii_case(name) => {
            Some(Ipv4Addr::from(a.address))
        }
        _ => None,
    })
}

/// Asks `to` for a name; its address if somebody answers.
///
/// # Errors
/// When the network can not be asked.
pub async fn ask(name: &str, to: SocketAddr) -> io::Result<Option<Ipv4Addr>> {
    let Some(question) = question(name) else { return Ok(None) };
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
    let mut message = vec![0; LARGEST];
    for _ in 0..TIMES {
        socket.send_to(&question, to).await?;
        let answer = async {
            loop {
                let (length, _) = socket.recv_from(&mut message).await?;
                let found = address(message.get(..length).unwrap_or_default(), name);
                if found.is_some() {
                    return Ok::<_, io::Error>(found);
                }
            }
        };
        if let Ok(found) = timeout(AGAIN, answer).await {
            return found;
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAME: &str = "television.local";

    /// From RFC 1035, section 4: header, name, type A, class IN with the cache-flush bit.
    fn answer(flags: u8, name: &str, ttl: u8) -> Vec<u8> {
        let mut wire = vec![0, 0, flags, 0, 0, 0, 0, 1, 0, 0, 0, 0];
        for label in name.split('.') {
            wire.push(u8::try_from(label.len()).unwrap());
            wire.extend(label.bytes());
        }
        wire.extend([0, 0, 1, 0x80, 1, 0, 0, 0, ttl, 0, 4, 192, 168, 1, 30]);
        wire
    }

    #[test]
    fn only_an_answer_for_the_name_counts() {
        let at = Some(Ipv4Addr::new(192, 168, 1, 30));
        assert_eq!(address(&answer(0x84, NAME, 120), NAME), at);
        assert_eq!(address(&answer(0x84, "Television.LOCAL", 120), NAME), at);
        assert_eq!(address(&answer(0x84, "radio.local", 120), NAME), None);
        assert_eq!(address(&answer(0x84, NAME, 0), NAME), None, "it says that it goes");
        assert_eq!(address(&answer(0x00, NAME, 120), NAME), None, "a question");
        assert_eq!(question("a".repeat(300).as_str()), None);
    }

    #[tokio::test]
    async fn who_answers_is_found_and_who_does_not_is_not() {
        let device = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = device.local_addr().unwrap();
        let plays = tokio::spawn(async move {
            let mut asked = [0; 512];
            // The first question is lost.
            for lost in [true, false] {
                let (length, from) = device.recv_from(&mut asked).await.unwrap();
                // One question, for an A record, that may be answered to the asker alone.
                let tail = b"\x0atelevision\x05local\x00\x00\x01\x80\x01";
                assert_eq!(asked[4..12], [0, 1, 0, 0, 0, 0, 0, 0]);
                assert_eq!(&asked[12..length], tail);
                if !lost {
                    device.send_to(&answer(0x84, "radio.local", 120), from).await.unwrap();
                    device.send_to(&answer(0x84, NAME, 120), from).await.unwrap();
                }
            }
        });
        assert_eq!(ask(NAME, at).await.unwrap(), Some(Ipv4Addr::new(192, 168, 1, 30)));
        plays.await.unwrap();
        let mute = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        assert_eq!(ask(NAME, mute.local_addr().unwrap()).await.unwrap(), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            super::super::fuzzed::mdns(&bytes);
        }
    }
}
