//! A private page with a form that changes something.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Extension, Form,
    extract::State,
    response::{Redirect, Result},
};
use maud::{Markup, html};
use serde::Deserialize;
use tower_bearer::CsrfToken;

use crate::{App, kept::Kept, page, user::User};

/// The notes of each user, by the user's id. A real application has them in its database.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<HashMap<String, Vec<String>>>>);

impl Notes {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Vec<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Deserialize)]
pub(crate) struct Note {
    text: String,
}

pub(crate) async fn show(
    user: User,
    State(app): State<App>,
    csrf: CsrfToken,
    kept: Option<Extension<Kept>>,
) -> Result<Markup> {
    let notes = app.notes.all().get(&user.id).cloned().unwrap_or_default();
    let (text, wrong) = match &kept {
        Some(Extension(kept)) => (kept.field("text"), Some(page::EXPIRED)),
        None => ("", None),
    };
    let add = page::form(
        &csrf,
        "/notes",
        html! {
            label { "A note " textarea name="text" required { (text) } }
            button { "Add" }
        },
    )?;
    let sign_out = page::form(
        &csrf,
        "/sessions",
        html! {
            button name="end" value="this" { "Sign out" }
        },
    )?;
    Ok(page::layout(
        "Your notes",
        html! {
            p { "Signed in as " (user.name) ". " a href="/sessions" { "Your sessions" } }
            ul { @for note in notes { li { (note) } } }
            (page::wrong(wrong))
            (add)
            (sign_out)
        },
    ))
}

/// The redirect makes a reload of the page ask for the page, and not send the form again.
pub(crate) async fn add(user: User, State(app): State<App>, Form(note): Form<Note>) -> Redirect {
    app.notes.all().entry(user.id).or_default().push(note.text);
    Redirect::to("/notes")
}
