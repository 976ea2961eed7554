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
/// Something in front may have taken leading segments of `base` off. The longest rest of it that leaves a call
/// wins, so that endpoints below `/sessions` can be told from the list.
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
