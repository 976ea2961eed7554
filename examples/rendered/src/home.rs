//! A public page.

use axum::extract::State;
use maud::{Markup, html};
use tower_bearer::Session;

use crate::{App, page};

/// Greets the reader by name. `peek` looks at the session and changes nothing: no new cookie, no use of the session.
/// Where it fails, the page has no name. That includes a store that does not answer.
pub(crate) async fn show(State(app): State<App>, session: Session) -> Markup {
    let peeked = session.peek().await.ok();
    let user = peeked
        .as_ref()
        .and_then(|peeked| app.users.by_id(&peeked.subject));
    page::layout(
        "Notes",
        html! {
            @match user {
                Some(user) => p { "Hello, " (user.name) ". " a href="/notes" { "Your notes" } },
                None => p { "Notes of your own. " a href="/sign-in" { "Sign in" } },
            }
        },
    )
}
