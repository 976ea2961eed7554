//! When and how the user of a session authenticated: the application's statement, and the check that it is recent.

use std::{fmt, time::Duration};

use super::builder::RefreshCookieBuilder;
use crate::{
    clock::Timestamp,
    config::ConfigError,
    session::{Authentication, Methods, SessionError, SessionErrorKind},
};

/// How far ahead of the store's clock another clock may be. It is as much as a codec may be set to forgive.
const AHEAD: Duration = Duration::from_secs(300);

/// An authentication, as far as the application says.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    pub(super) auth_time: Option<Timestamp>,
    pub(super) amr: Option<Vec<String>>,
    pub(super) acr: Option<String>,
}

impl Said {
    /// The authentication that is meant, which is reported at `now`. Methods that are not named are not known, whatever
    /// an earlier authentication named. A password that is checked days after a second factor does not make that factor
    /// recent.
    ///
    /// # Errors
    ///
    /// Names the values that cannot be kept.
    pub(super) fn judge(&self, now: Timestamp) -> Result<Authentication, SessionError> {
        let Self {
            auth_time,
            amr,
            acr,
        } = self;
        let at = match auth_time {
            Some(at) if *at > now + AHEAD => return Err(invalid(FUTURE)),
            // Clocks differ. A date by another one is never later than this one.
            Some(at) => now.min(*at),
            None => now,
        };
        let amr = amr.iter().flatten().map(String::as_str);
        let methods = Methods::default().with_amr(amr);
        let methods = methods.ok_or_else(|| invalid(AMR))?;
        let methods = match acr {
            Some(acr) => methods.with_acr(acr),
            None => Some(methods),
        };
        let methods = methods.ok_or_else(|| invalid(ACR))?;
        Ok(Authentication { at, methods })
    }
}

const ACR: &str = "acr must have 1 to 64 printable ASCII characters without spaces, quotes and \
     backslashes";
const AMR: &str = "amr must have at most 8 entries, each of 1 to 32 printable ASCII characters \
     without spaces, quotes and backslashes";
const FUTURE: &str = "auth_time must not lie in the future. It is more than five minutes ahead of the store's \
     clock (seconds and milliseconds confused?)";

pub(super) fn invalid(problem: &'static str) -> SessionError {
    SessionError::with_source(SessionErrorKind::InvalidInput, problem)
}

impl RefreshCookieBuilder {
    /// Sets whether access tokens say when and how their user authenticated. They say `auth_time`, and `amr` and `acr`
    /// where the application named them. See RFC 9068 section 2.2.1 and OpenID Connect Core 1.0 section 2. Default:
    /// off, since every request carries the token.
    ///
    /// [`RequireRecentAuth`](crate::RequireRecentAuth) needs it on. The claims of the application then have no member
    /// of these names. Such a token cannot be minted: the answer is 500, and the log names the member. A struct of the
    /// application does not see them, with `deny_unknown_fields` either, unless it names them.
    ///
    /// ```
    /// use tower_bearer::refresh::RefreshCookieBuilder;
    ///
    /// fn stepping_up(sessions: RefreshCookieBuilder) -> RefreshCookieBuilder {
    ///     sessions.authentication_in_tokens(true)
    /// }
    /// # let _ = stepping_up;
    /// ```
    pub fn authentication_in_tokens(mut self, minted: bool) -> Self {
        self.authentication_in_tokens = minted;
        self
    }

    /// Sets how recently the user must have authenticated to end other sessions, at least one second. Default: it does
    /// not matter.
    ///
    /// It is for [`end_others`](crate::Session::end_others), [`end_all`](crate::Session::end_all) and
    /// [`end_session`](crate::Session::end_session) with the id of another session. They fail with
    /// [`AuthenticationTooOld`](crate::SessionErrorKind::AuthenticationTooOld), and the endpoints answer 403
    /// `insufficient_user_authentication` with `max_age` in seconds. The page asks for the credentials, and the
    /// application calls [`elevate`](crate::Session::elevate). A sign-in and a change of privilege count. A refresh
    /// does not, nor does `end_others`. Its own session a client always ends (OWASP ASVS 5.0, 7.5.2).
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_bearer::refresh::RefreshCookieBuilder;
    ///
    /// /// A browser that is left open does not sign its owner out elsewhere.
    /// fn asking_again(sessions: RefreshCookieBuilder) -> RefreshCookieBuilder {
    ///     sessions.recent_auth_to_end_others(Duration::from_secs(5 * 60))
    /// }
    /// # let _ = asking_again;
    /// ```
    pub fn recent_auth_to_end_others(mut self, max_age: Duration) -> Self {
        self.recent_auth_to_end_others = Some(max_age);
        self
    }
}

/// Judges how recent an authentication has to be.
pub(super) fn check(max_age: Option<Duration>) -> Result<(), ConfigError> {
    match max_age {
        Some(max_age) if max_age < Duration::from_secs(1) => Err(ConfigError::about(
            "recent_auth_to_end_others",
            max_age,
            "must be at least 1s: leave it out where it does not matter",
        )),
        _ => Ok(()),
    }
}

/// Refuses a client whose user `authenticated` longer ago than `max_age`, where that is set.
///
/// A date in the future is the store's, whose clock was set back. Within the allowed difference of clocks it is recent.
pub(super) fn require_recent(
    max_age: Option<Duration>,
    authenticated: Timestamp,
    now: Timestamp,
) -> Result<(), SessionError> {
    match max_age {
        Some(max_age) if now.since(authenticated) > max_age || authenticated > now + AHEAD => {
            let kind = SessionErrorKind::AuthenticationTooOld;
            Err(SessionError::with_source(kind, TooOld { max_age }))
        }
        _ => Ok(()),
    }
}

/// Why other sessions were not ended: the cure for the log, and the answer to the client.
#[derive(Debug)]
pub(super) struct TooOld {
    pub(super) max_age: Duration,
}

impl fmt::Display for TooOld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { max_age } = self;
        write!(
            f,
            "more than recent_auth_to_end_others, {max_age:?}, has passed since the user authenticated. The page \
             asks for the credentials again, and the application calls elevate"
        )
    }
}

impl std::error::Error for TooOld {}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn at(auth_time: Option<Timestamp>) -> Result<Timestamp, SessionErrorKind> {
        let said = Said {
            auth_time,
            ..Said::default()
        };
        let judged = said.judge(NOW);
        judged.map(|judged| judged.at).map_err(|error| error.kind())
    }

    #[test]
    fn a_time_that_another_clock_has_is_not_later_than_now() {
        let second = Duration::from_secs(1);
        assert_eq!(at(None), Ok(NOW));
        assert_eq!(at(Some(NOW - second)), Ok(NOW - second));
        assert_eq!(at(Some(Timestamp::default())), Ok(Timestamp::default()));
        assert_eq!(at(Some(NOW + second)), Ok(NOW));
        assert_eq!(at(Some(NOW + AHEAD)), Ok(NOW));
        let too_far = NOW + AHEAD + Duration::from_millis(1);
        assert_eq!(at(Some(too_far)), Err(SessionErrorKind::InvalidInput));
        let millis_for_seconds = Timestamp::from_secs(NOW.as_millis());
        assert_eq!(
            at(Some(millis_for_seconds)),
            Err(SessionErrorKind::InvalidInput)
        );
    }

    #[test]
    fn unnamed_methods_are_unknown_and_values_that_cannot_be_kept_are_named() {
        let judge = |amr: Option<&[&str]>, acr: Option<&str>| {
            let said = Said {
                auth_time: None,
                amr: amr.map(|amr| amr.iter().map(ToString::to_string).collect()),
                acr: acr.map(str::to_owned),
            };
            let judged = said.judge(NOW).map_err(|error| {
                assert_eq!(error.kind(), SessionErrorKind::InvalidInput);
                std::error::Error::source(&error).unwrap().to_string()
            })?;
            let amr: Vec<_> = judged.methods.amr().map(str::to_owned).collect();
            Ok::<_, String>((amr.join("+"), judged.methods.acr().map(str::to_owned)))
        };
        assert_eq!(judge(None, None), Ok((String::new(), None)));
        assert_eq!(
            judge(Some(&["pwd", "otp"]), Some("high")),
            Ok(("pwd+otp".to_owned(), Some("high".to_owned())))
        );
        assert_eq!(judge(Some(&[]), None), Ok((String::new(), None)));
        assert_eq!(judge(None, Some("high")).unwrap().0, "");
        let named = |judged: Result<_, String>, setting: &str| {
            let problem = judged.unwrap_err();
            assert!(problem.starts_with(setting), "{problem}");
        };
        named(judge(Some(&["two words"]), None), "amr ");
        named(judge(None, Some("")), "acr ");
    }

    #[test]
    fn an_authentication_is_recent_up_to_the_very_end() {
        let max_age = Duration::from_secs(60);
        let tick = Duration::from_millis(1);
        for (authenticated, recent) in [
            (NOW, true),
            (NOW - max_age, true),
            (NOW - max_age - tick, false),
            (NOW + AHEAD, true),
            (NOW + AHEAD + tick, false),
        ] {
            let judged = require_recent(Some(max_age), authenticated, NOW);
            assert_eq!(judged.is_ok(), recent, "{authenticated:?}");
            assert!(require_recent(None, authenticated, NOW).is_ok());
            if let Err(error) = judged {
                assert_eq!(error.kind(), SessionErrorKind::AuthenticationTooOld);
            }
        }
    }

    #[test]
    fn no_time_at_all_is_a_mistake() {
        assert_eq!(check(None), Ok(()));
        assert_eq!(check(Some(Duration::from_secs(1))), Ok(()));
        let error = check(Some(Duration::from_millis(999))).unwrap_err();
        assert_eq!(error.setting(), "recent_auth_to_end_others");
    }
}
