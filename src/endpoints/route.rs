//! Which call a request is.

use crate::{
    cookie::path::{below, tails},
    refresh::RefreshTransport,
};

/// The call that a request is.
pub(super) enum Call<'a> {
    Csrf,
    Refresh,
    Logout,
    LogoutAll,
    List,
    Peek,
    End(&'a str),
}

/// The call and the methods it answers, as an `Allow` value.
///
/// A proxy or router in front may have removed leading segments of `base`. The longest rest of it that leaves a call
/// wins. So endpoints below `/sessions` are distinguished from the list.
pub(super) fn route<'a>(
    path: &'a str,
    base: &str,
    transport: RefreshTransport,
) -> Option<(Call<'a>, &'static str)> {
    tails(base)
        .filter_map(|tail| below(path, tail))
        .find_map(|rest| call(rest, transport == RefreshTransport::Body))
}

fn call(path: &str, in_bodies: bool) -> Option<(Call<'_>, &'static str)> {
    // Neither a GET nor a DELETE has a body to carry the token in.
    let look = if in_bodies { "POST" } else { "GET, HEAD" };
    match path {
        // No browser has added the token, so there is nothing to guard.
        "/csrf" if in_bodies => None,
        "/csrf" => Some((Call::Csrf, look)),
        "/refresh" => Some((Call::Refresh, "POST")),
        "/logout" => Some((Call::Logout, "POST")),
        "/logout-all" => Some((Call::LogoutAll, "POST")),
        "/session" => Some((Call::Peek, look)),
        "/sessions" => Some((Call::List, look)),
        other => {
            let id = other.strip_prefix("/sessions/")?;
            match in_bodies {
                true => Some((Call::End(id.strip_suffix("/end")?), "POST")),
                false => Some((Call::End(id), "DELETE")),
            }
        }
    }
}
