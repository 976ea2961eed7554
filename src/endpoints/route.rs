//! Which call a request is.

/// The call that a request is.
pub(super) enum Call<'a> {
    Csrf,
    Refresh,
    Logout,
    LogoutAll,
    List,
    End(&'a str),
}

/// The call and the methods it answers, as an `Allow` value.
pub(super) fn route<'a>(path: &'a str, base: &str) -> Option<(Call<'a>, &'static str)> {
    let below = path.strip_prefix(base).filter(|rest| rest.starts_with('/'));
    match below.unwrap_or(path) {
        "/csrf" => Some((Call::Csrf, "GET, HEAD")),
        "/refresh" => Some((Call::Refresh, "POST")),
        "/logout" => Some((Call::Logout, "POST")),
        "/logout-all" => Some((Call::LogoutAll, "POST")),
        "/sessions" => Some((Call::List, "GET, HEAD")),
        other => {
            let id = other.strip_prefix("/sessions/")?;
            Some((Call::End(id), "DELETE"))
        }
    }
}
