//! The settings of the operating system for a connection.

use std::time::Duration;

use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};

/// A connection that was not used for so long is tried out, before a firewall forgets it.
const IDLE: Duration = Duration::from_secs(30);
const BETWEEN_TRIES: Duration = Duration::from_secs(5);
/// Data that was sent and not acknowledged for so long is lost, and the connection with it. The other machine is gone.
/// By default systems wait for a quarter of an hour.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(5);

pub(super) fn settings() -> TcpSettings {
    let keepalive = TcpKeepalive::new()
        .with_time(IDLE)
        .with_interval(BETWEEN_TRIES);
    // Small requests may travel together (`TCP_NODELAY` stays off). A server answers at once, so none is held back for
    // longer than a round trip. A busy server has less to read.
    let settings = TcpSettings::default().set_keepalive(keepalive);
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(UNACKNOWLEDGED);
    settings
}
