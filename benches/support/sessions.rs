//! Sessions like those of real users, put together by the documented layout.

use tower_bearer::{Timestamp, store::SessionRecord};

pub const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Headers of browsers of two makers from three systems: 78 to 111 bytes.
const LABELS: [&str; 5] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:152.0) Gecko/20100101 Firefox/152.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:152.0) Gecko/20100101 Firefox/152.0",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:152.0) Gecko/20100101 Firefox/152.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36",
];

/// The live session of subject `n`, after `generation` rotations, that expires in `seconds`.
pub fn session(n: u64, generation: u64, seconds: u64) -> SessionRecord {
    let subject = match n % 3 {
        0 => format!("{n:012}"),
        1 => format!("{n:024x}"),
        _ => format!("00000000-0000-4000-8000-{n:012x}"),
    };
    let label = LABELS[(n / 3 % 5) as usize];
    let now = NOW.as_millis();
    let mut bytes = vec![2];
    for part in [n.wrapping_mul(0x9e37_79b9_7f4a_7c15), n, !n, n] {
        // The session's id and the subject's tag.
        bytes.extend(part.to_be_bytes());
    }
    bytes.extend(generation.to_be_bytes());
    // No recoveries; there is a previous token, the current one has been presented, and the jar cookie too.
    bytes.extend([0, 1 | 4 | 8]);
    bytes.extend([generation as u8; 32]);
    bytes.extend([generation.wrapping_sub(1) as u8; 32]);
    bytes.extend([0x5a; 32]);
    // Handed out, presented, rotated, created; the absolute expiry and the idle one.
    let expiry = now + seconds * 1000;
    for time in [now, now, now, now, expiry, expiry] {
        bytes.extend(time.to_be_bytes());
    }
    // One fingerprint, which is known and the holder; no end, and live.
    bytes.extend(*b"firefox!");
    bytes.extend([0; 3 * 8]);
    bytes.extend([0x11, 0xf0]);
    bytes.extend([0; 8 + 1]);
    // The lengths of subject and label; neither context nor fields.
    bytes.extend((subject.len() as u16).to_be_bytes());
    bytes.extend((label.len() as u16).to_be_bytes());
    bytes.extend([0; 4 + 2]);
    bytes.extend(subject.as_bytes());
    bytes.extend(label.as_bytes());
    SessionRecord::decode(&bytes).unwrap()
}
