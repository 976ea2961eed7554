//! The records of a subscriber.

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
    /// The notes of the test on this thread.
    static NOTES: RefCell<Notes> = RefCell::default();
}

/// Writes everything down, at every level.
struct Notebook;

/// Begins to listen, once for the whole program. A subscriber of one thread alone may miss lines that another thread
/// reached first while no subscriber listened.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(Notebook);
        tracing::subscriber::set_global_default(subscriber).expect("no other subscriber listens");
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
        let (kind, named) = span.name().split_once('.').unwrap();
        assert_eq!(named, operation, "the name of a span carries its operation");
        let name = format!("{kind}:{operation}");
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
        "everything_revoked",
        "foreign_jar",
        "new_fingerprint",
        "old_token",
        "recovered",
        "refreshed",
        "rejected",
        "reuse_detected",
        "revoked",
        "session_refused",
        "started",
        "unannounced",
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
        "Where the session endpoints lie here too, no refresh finds the new one",
        "Mount",
        "Builder::cookie_path",
        "external_prefix",
    ] {
        assert!(line.fields["message"].contains(cure), "{line:?}");
    }
    assert_eq!(lines.count(), 0);
}

/// The one line of `event`: its level and its fields, in turn.
fn line_of<'a>(lines: &'a [Line], event: &str) -> (Level, Vec<(&'a str, &'a str)>) {
    let mut found = lines.iter().filter(|line| line.fields["event"] == event);
    let line = found
        .next()
        .unwrap_or_else(|| panic!("no line {event}: {lines:#?}"));
    assert_eq!(found.count(), 0, "{event} once");
    let fields = line.fields.iter();
    let fields =
        fields.filter(|(name, _)| !["event", "message", "session"].contains(&name.as_str()));
    assert_eq!(line.fields["session"].len(), 22, "{line:?}");
    let texts = fields.map(|(name, value)| (name.as_str(), value.as_str()));
    (line.level, texts.collect())
}

#[test]
fn the_lines_of_a_window_of_another_name_say_the_new_one_and_forge_none() {
    let lines = lines(async {
        let world = World::new();
        let mut jar = world.signed_in("alice").await;
        assert_eq!(jar.refresh(&world).await.status, 200);
        for _ in 0..3 {
            assert_eq!(jar.without_jar().refresh(&world).await.status, 401);
        }
        world.secs(120);
        let mut window = jar.clone();
        window.agent = "a \"window\" WARN forged".to_owned();
        assert_eq!(window.refresh(&world).await.status, 409);
        assert_eq!(window.refresh(&world).await.status, 200);
        for _ in 0..3 {
            assert_eq!(jar.refresh(&world).await.status, 409);
        }
    });
    // The brakes leave one of three.
    assert_eq!(line_of(&lines, "foreign_jar"), (Level::WARN, vec![]));
    let expected = vec![("row", "7")];
    assert_eq!(line_of(&lines, "old_token"), (Level::INFO, expected));
    let (level, fields) = line_of(&lines, "new_fingerprint");
    let expected = [
        ("presented", r#""a \"window\" WARN forged""#),
        ("row", "6b"),
    ];
    assert_eq!((level, &fields[..]), (Level::WARN, &expected[..]));
}

#[test]
fn the_lines_of_an_end_say_whose_client_it_was() {
    let of_user = lines(async {
        let world = World::new();
        let mut alice = world.signed_in("alice").await;
        assert_eq!(alice.logout(&world).await.status, 204);
    });
    let expected = vec![("by_known", "true"), ("reason", "signed_out")];
    assert_eq!(line_of(&of_user, "revoked"), (Level::INFO, expected));
    let of_none = lines(async {
        let world = World::new();
        let mut alice = world.signed_in("alice").await;
        world
            .denied
            .store(true, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(alice.refresh(&world).await.status, 401);
    });
    let expected = vec![("reason", "denied")];
    assert_eq!(line_of(&of_none, "revoked"), (Level::INFO, expected));

    // The thief signs out behind itself, and the user comes back.
    let of_thief = lines(async {
        let world = World::new();
        let mut alice = world.signed_in("alice").await;
        assert_eq!(alice.refresh(&world).await.status, 200);
        world.secs(120);
        let mut thief = alice.thief();
        assert_eq!(thief.refresh(&world).await.status, 409);
        assert_eq!(thief.refresh(&world).await.status, 200);
        assert_eq!(thief.logout(&world).await.status, 204);
        world.secs(120);
        assert_eq!(alice.refresh(&world).await.status, 401);
    });
    let mut ends = of_thief
        .iter()
        .filter(|line| line.fields["event"] == "revoked");
    let end = &ends.next().unwrap().fields;
    assert_eq!(
        (&*end["by_known"], &*end["reason"]),
        ("false", "signed_out")
    );
    let (level, fields) = line_of(&of_thief, "reuse_detected");
    let said = |name| {
        fields
            .iter()
            .find(|(field, _)| *field == name)
            .map(|(_, value)| *value)
    };
    assert_eq!(level, Level::WARN);
    assert_eq!(
        (said("jar"), said("ended")),
        (Some("true"), Some("signed_out"))
    );
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
        "session:admin_list > store:list",
        "session:admin_end > store:swap",
        "session:admin_end_all > store:revoke_all",
        "session:admin_end_everything > store:revoke_everything",
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
