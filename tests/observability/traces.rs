//! What a subscriber hears.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Once,
};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
};

use crate::{day, manual, world::World};

/// One line: level, target, fields, and the names of the spans around it from the outside in.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) level: Level,
    target: String,
    pub(crate) fields: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default)]
struct Notes {
    lines: Vec<Line>,
    /// The path of each span, as `name:operation`, with the fields it was made with.
    spans: Vec<(Vec<String>, Level)>,
}

thread_local! {
    /// What the test on this thread has seen.
    static NOTES: RefCell<Notes> = RefCell::default();
}

/// Writes everything down, at every level.
struct Notebook;

/// Begins to listen, once for the whole program: a subscriber of one thread alone may miss lines whose
/// place in the code another thread came to first, while nobody listened.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(Notebook);
        tracing::subscriber::set_global_default(subscriber).expect("nobody else listens");
    });
}

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Notebook {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, ctx: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let span = ctx.span(id).unwrap();
        let operation = &fields.0["operation"];
        let name = format!("{}:{operation}", span.name());
        let mut path: Vec<String> = Vec::new();
        if let Some(parent) = span.parent() {
            path.extend(parent.extensions().get::<Vec<String>>().unwrap().clone());
        }
        path.push(name);
        span.extensions_mut().insert(path.clone());
        let level = *span.metadata().level();
        NOTES.with_borrow_mut(|notes| notes.spans.push((path, level)));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let line = Line {
            level: *event.metadata().level(),
            target: event.metadata().target().to_owned(),
            fields: fields.0,
        };
        NOTES.with_borrow_mut(|notes| notes.lines.push(line));
    }
}

/// The lines that are written while `work` runs.
pub(crate) fn lines(work: impl Future<Output = ()>) -> Vec<Line> {
    NOTES.take();
    day::run(work);
    NOTES.take().lines
}

fn notes_of_a_day() -> (Notes, day::Secrets) {
    NOTES.take();
    let secrets = day::run(day::day());
    (NOTES.take(), secrets)
}

#[test]
fn lines_are_as_the_manual_says() {
    let (notes, _) = notes_of_a_day();
    let levels: BTreeMap<String, String> = manual::table("Lines")
        .into_iter()
        .map(|row| {
            let name = manual::quoted(&row[0]).into_iter().next().unwrap();
            (name, row[1].clone())
        })
        .collect();
    let fields = manual::names("Lines", 2);
    let mut seen = BTreeSet::new();
    for line in &notes.lines {
        assert_eq!(line.target, "tower_bearer");
        let name = &line.fields["event"];
        let level = line.level.to_string();
        assert!(levels[name].split(", ").any(|l| l == level), "{line:?}");
        let written = line
            .fields
            .keys()
            .filter(|key| *key != "event" && *key != "message");
        for field in written {
            assert!(fields[name].contains(field), "{name} has {field}");
        }
        // Some are there when there is something to say.
        for field in &fields[name] {
            let optional = match field.as_str() {
                "by_known" | "cause" | "ended" | "origin" | "present_scope" | "wanted_scope" => {
                    true
                }
                "reason" => name != "revoked",
                "session" => name == "session_refused",
                _ => false,
            };
            assert!(
                optional || line.fields.contains_key(field),
                "{name} lacks {field}"
            );
        }
        seen.insert(name.as_str());
    }
    let expected = [
        "denied",
        "recovered",
        "refreshed",
        "rejected",
        "reuse_detected",
        "revoked",
        "session_refused",
        "started",
        "would_reject",
    ];
    assert_eq!(seen, BTreeSet::from(expected));
}

#[test]
fn the_line_of_a_sign_in_where_the_cookie_does_not_go_names_both_paths_and_the_cure() {
    let lines = lines(async {
        let world = World::with(|builder| builder.cookie_path("/api/auth"));
        assert_eq!(world.browser().login(&world, "alice").await.status, 200);
        assert_eq!(world.count("CookiePathMismatch"), 0);
        let world = World::with(|builder| builder.cookie_path("/session"));
        assert_eq!(world.browser().login(&world, "alice").await.status, 200);
    });
    let mut lines = lines.iter().filter(|line| line.level == Level::ERROR);
    let line = lines.next().unwrap();
    assert_eq!(line.fields["event"], "cookie_path_mismatch");
    assert_eq!(line.fields["cookie_path"], "/session");
    assert_eq!(line.fields["request_path"], "\"/auth/login\"");
    for cure in [
        "does not see the session that it replaces",
        "where the session endpoints lie here too, no refresh finds the new one",
        "Mount",
        "Builder::cookie_path",
        "external_prefix",
    ] {
        assert!(line.fields["message"].contains(cure), "{line:?}");
    }
    assert_eq!(lines.count(), 0);
}

#[test]
fn spans_are_as_the_manual_says() {
    let (notes, _) = notes_of_a_day();
    let operations = manual::names("Spans", 1);
    let mut seen = BTreeSet::new();
    for (path, level) in &notes.spans {
        assert_eq!(*level, Level::DEBUG);
        let (name, operation) = path.last().unwrap().split_once(':').unwrap();
        assert!(operations[name].contains(operation), "{path:?}");
        if name == "store" {
            assert!(path[0].starts_with("session:"), "{path:?} is within a call");
        }
        seen.insert(path.join(" > "));
    }
    for path in [
        "session:refresh > store:load",
        "session:refresh > store:swap",
        "session:start > store:insert",
        "session:end > store:swap",
        "session:end_all > store:revoke_all",
    ] {
        assert!(seen.contains(path), "{path} is not among {seen:#?}");
    }
}

#[test]
fn nothing_secret_is_written_down() {
    let (notes, day::Secrets(secrets)) = notes_of_a_day();
    assert!(!notes.lines.is_empty() && !notes.spans.is_empty());
    let text = format!("{notes:?}");
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret} is written down");
        // Nor a part that would be enough to find the rest by.
        let part = secret.get(secret.len() / 2..secret.len() / 2 + 12);
        if let Some(part) = part {
            assert!(!text.contains(part), "{part} is written down");
        }
    }
}
