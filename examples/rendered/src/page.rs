//! The parts that all pages share. `html!` escapes what stands in parentheses.

use maud::{DOCTYPE, Markup, html};
use tower_bearer::{CsrfToken, Problem, rejection::Rejection};

/// The name of the field that carries the CSRF token.
pub(crate) const CSRF_FIELD: &str = "csrf_token";

/// Stands over a form that is shown again.
pub(crate) const EXPIRED: &str = "This page was out of date. Please send the form again.";

/// The default policy of the crate allows no style inside of a page, so this is a file.
pub(crate) const STYLE: &str = include_str!("style.css");

/// A whole page.
pub(crate) fn layout(title: &str, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) }
                link rel="stylesheet" href="/style.css";
            }
            body {
                h1 { (title) }
                (content)
            }
        }
    }
}

/// A form that posts `fields` to `action`, with the CSRF token of the session.
pub(crate) fn form(csrf: &CsrfToken, action: &str, fields: Markup) -> Result<Markup, Rejection> {
    let token = csrf.masked()?;
    Ok(html! {
        form method="post" action=(action) {
            input type="hidden" name=(CSRF_FIELD) value=(token);
            (fields)
        }
    })
}

/// A sentence about a form that was not accepted.
pub(crate) fn wrong(sentence: Option<&str>) -> Markup {
    html! {
        @if let Some(sentence) = sentence { p.wrong role="alert" { (sentence) } }
    }
}

/// The page where the crate refuses a request: a foreign page, a store that does not answer.
pub(crate) fn refusal(problem: &Problem) -> String {
    let page = layout(
        problem.title(),
        html! {
            p { "Please try again: " a href="/notes" { "Your notes" } }
        },
    );
    page.into_string()
}
