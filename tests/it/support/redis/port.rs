//! Ports that no other process takes.

use std::{
    net::{Ipv4Addr, TcpListener, UdpSocket},
    ops::Range,
    sync::atomic::{AtomicU16, Ordering},
};

/// Below what systems give to outgoing connections. A port from there could be taken between a
/// server's death and its restart.
const RANGE: Range<u16> = 10_000..30_000;

/// A TCP port of loopback, reserved as long as this lives.
///
/// Finding a free port by binding to it helps one process once. The server can only bind it after it is released. So
/// the UDP port of the same number is held, which Redis does not use. Other tests, also those of other processes, then
/// pass over this one while its server is dead. The system takes the reservation back from a process that dies.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    _held: UdpSocket,
}

impl Port {
    pub(crate) fn reserve() -> Self {
        static TAKEN: AtomicU16 = AtomicU16::new(0);
        let count = RANGE.end - RANGE.start;
        // Processes begin in different places, so that they seldom meet. Any number will do.
        let begin = std::process::id().wrapping_mul(7919) % u32::from(count);
        for _ in 0..count {
            let step = u32::from(TAKEN.fetch_add(1, Ordering::Relaxed));
            let offset = u16::try_from((begin + step) % u32::from(count)).unwrap();
            let address = (Ipv4Addr::LOCALHOST, RANGE.start + offset);
            let Ok(held) = UdpSocket::bind(address) else {
                continue;
            };
            if TcpListener::bind(address).is_ok() {
                return Self {
                    number: address.1,
                    _held: held,
                };
            }
        }
        panic!("no port of {RANGE:?} is free on 127.0.0.1")
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}
