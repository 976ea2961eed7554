//! Which call a request is.

use crate::cookie::path::{below, tails};

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
pub(super) fn route<'a>(path: &'a str, base: &str) -> Option<(Call<'a>, &'static str)> {
    tails(base)
        .filter_map(|tail| below(path, tail))
        .find_map(call)
}

fn call(path: &str) -> Option<(Call<'_>, &'static str)> {
    match path {
        "/csrf" => Some((Call::Csrf, "GET, HEAD")),
        "/refresh" => Some((Call::Refresh, "POST")),
        "/logout" => Some((Call::Logout, "POST")),
        "/logout-all" => Some((Call::LogoutAll, "POST")),
        "/session" => Some((Call::Peek, "GET, HEAD")),
        "/sessions" => Some((Call::List, "GET, HEAD")),
        other => {
            let id = other.strip_prefix("/sessions/")?;
            Some((Call::End(id), "DELETE"))
        }
    }
}
