//! The generation of the packet filters of this network namespace: a number that every transaction, by
//! whomever, raises by one. Asking costs microseconds, listing a table of a thousand VIPs milliseconds.

use rtnetlink::sys::{Socket, SocketAddr, protocols::NETLINK_NETFILTER};
use std::io;

/// `NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN` (linux/netfilter/nf_tables.h), and the answer `…NEWGEN`.
const GET_GENERATION: u16 = 10 << 8 | 16;
const NEW_GENERATION: u16 = 10 << 8 | 15;
/// The attribute with the number.
const GENERATION_ID: u16 = 1;
const REQUEST: u16 = 1;
/// `struct nlmsghdr` and `struct nfgenmsg`.
const HEADERS: usize = 16 + 4;

/// Asks the kernel. It answers within the call that sends, so this waits for nothing.
pub(super) fn current() -> io::Result<u32> {
    let mut socket = Socket::new(NETLINK_NETFILTER)?;
    socket.bind_auto()?;
    socket.set_non_blocking(true)?;
    socket.send_to(&question(), &SocketAddr::new(0, 0), 0)?;
    let (answer, _) = socket.recv_from_full()?;
    read(&answer)
}

fn question() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADERS);
    bytes.extend((HEADERS as u32).to_ne_bytes());
    bytes.extend(GET_GENERATION.to_ne_bytes());
    bytes.extend(REQUEST.to_ne_bytes());
    bytes.extend([0; 8]); // sequence number, port id
    bytes.extend([0; 4]); // any family, version 0
    bytes
}

fn read(answer: &[u8]) -> io::Result<u32> {
    let unreadable = || io::Error::new(io::ErrorKind::InvalidData, "the answer has no generation");
    let kind = answer.get(4..6).and_then(|two| two.try_into().ok()).map(u16::from_ne_bytes);
    if kind != Some(NEW_GENERATION) {
        // struct nlmsgerr: a negative errno follows the header.
        let code = answer.get(16..20).and_then(|four| four.try_into().ok()).map(i32::from_ne_bytes);
        return Err(code
            .filter(|&code| code < 0)
            .map_or_else(unreadable, |code| io::Error::from_raw_os_error(-code)));
    }
    attribute(answer.get(HEADERS..).unwrap_or_default(), GENERATION_ID).ok_or_else(unreadable)
}

/// The 32 bits of the first attribute of this kind; attributes are padded to four bytes.
fn attribute(mut attributes: &[u8], wanted: u16) -> Option<u32> {
    while let [l0, l1, k0, k1, value @ ..] = attributes {
        let length = usize::from(u16::from_ne_bytes([*l0, *l1]));
        if u16::from_ne_bytes([*k0, *k1]) == wanted {
            return Some(u32::from_be_bytes(value.get(..4)?.try_into().ok()?));
        }
        attributes = attributes.get(length.max(4).next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_number_among_other_attributes() {
        let mut answer = question();
        answer[4..6].copy_from_slice(&NEW_GENERATION.to_ne_bytes());
        answer.extend([7u16.to_ne_bytes(), 2u16.to_ne_bytes()].concat());
        answer.extend([b'n', b'f', b't', 0]);
        answer.extend([8u16.to_ne_bytes(), GENERATION_ID.to_ne_bytes()].concat());
        answer.extend(77u32.to_be_bytes());
        assert_eq!(read(&answer).unwrap(), 77);
        for length in 0..answer.len() {
            assert!(read(&answer[..length]).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn a_refusal_is_the_kernels_error() {
        let mut answer = question();
        answer[4..6].copy_from_slice(&2u16.to_ne_bytes());
        answer[16..20].copy_from_slice(&(-1i32).to_ne_bytes());
        assert_eq!(read(&answer).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}
