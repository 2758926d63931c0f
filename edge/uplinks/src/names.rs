//! Asks the name servers of one link, over that link (RFC 1035, over UDP). The system's own resolver
//! asks whichever server is first, and that one may stand behind the link that is dead.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QTYPE, Question, TYPE};
use tokio::net::UdpSocket;

use crate::reach::Way;

/// One server; there may be another.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// Servers asked.
const MOST_ASKED: usize = 3;

/// Longest answer over UDP without extensions, bytes (RFC 1035 clause 4.2.1); some send more.
const LONGEST: usize = 1500;

const PORT: u16 = 53;

/// The addresses of a name.
pub async fn resolve(way: &Way, host: &str) -> io::Result<Vec<IpAddr>> {
    if way.name_servers.is_empty() {
        let found = tokio::net::lookup_host((host, 0)).await?;
        return Ok(found.map(|at| at.ip()).collect());
    }
    let mut failed = None;
    for server in way.name_servers.iter().take(MOST_ASKED) {
        let asked = async {
            let found = ask(way, *server, host, TYPE::A).await?;
            if found.is_empty() { ask(way, *server, host, TYPE::AAAA).await } else { Ok(found) }
        };
        match tokio::time::timeout(ANSWERS_WITHIN, asked).await {
            Ok(Ok(found)) if !found.is_empty() => return Ok(found),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => failed = Some(error),
            Err(_) => {
                let why = format!("the name server {server} does not answer");
                failed = Some(io::Error::new(io::ErrorKind::TimedOut, why));
            }
        }
    }
    failed.map_or_else(|| Ok(Vec::new()), Err)
}

async fn ask(way: &Way, server: IpAddr, host: &str, kind: TYPE) -> io::Result<Vec<IpAddr>> {
    let id = rand::random();
    let question = question(id, host, kind).map_err(io::Error::other)?;
    let any: IpAddr = match server {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
    socket.bind_device(way.device())?;
    socket.connect(SocketAddr::new(server, PORT)).await?;
    socket.send(&question).await?;
    let mut answer = [0; LONGEST];
    loop {
        let length = socket.recv(&mut answer).await?;
        if let Some(found) = answer.get(..length).and_then(|bytes| read(bytes, id)) {
            return Ok(found);
        }
    }
}

fn question(id: u16, host: &str, kind: TYPE) -> Result<Vec<u8>, simple_dns::SimpleDnsError> {
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let question = Question::new(Name::new(host)?, QTYPE::TYPE(kind), CLASS::IN.into(), false);
    packet.questions.push(question);
    packet.build_bytes_vec()
}

/// The addresses in an answer; `None` where it is none to this question.
pub fn read(bytes: &[u8], id: u16) -> Option<Vec<IpAddr>> {
    let packet = Packet::parse(bytes).ok()?;
    if packet.id() != id || !packet.has_flags(PacketFlag::RESPONSE) {
        return None;
    }
    let address = |data: &RData<'_>| match data {
        RData::A(a) => Some(IpAddr::V4(a.address.into())),
        RData::AAAA(a) => Some(IpAddr::V6(a.address.into())),
        _ => None,
    };
    Some(packet.answers.iter().filter_map(|answer| address(&answer.rdata)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// example.com at 93.184.216.34, as a server sends it (RFC 1035 clause 4.1).
    const ANSWER: &[u8] = b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0\x07example\x03com\0\0\x01\0\x01\
        \xc0\x0c\0\x01\0\x01\0\0\x0e\x10\0\x04\x5d\xb8\xd8\x22";

    #[test]
    fn an_answer_to_the_question_is_taken() {
        let expected: IpAddr = Ipv4Addr::new(93, 184, 216, 34).into();
        assert_eq!(read(ANSWER, 0x1234), Some(vec![expected]));
        assert_eq!(read(ANSWER, 0x4321), None, "another question's");
        assert_eq!(read(&question(0x1234, "example.com", TYPE::A).unwrap(), 0x1234), None);
        for length in 0..ANSWER.len() {
            let _ = read(&ANSWER[..length], 0x1234);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)) {
            let _ = read(&bytes, 0x1234);
        }
    }
}
