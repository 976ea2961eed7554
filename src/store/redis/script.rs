//! The scripts, in each of their wordings, and how a server is sent one.

use std::sync::LazyLock;

use redis::{Cmd, Script};

/// Lets a script write though `maxmemory` is reached. Revocations must not wait for room, and change nothing in the
/// size of a record.
macro_rules! revoking {
    ($text:expr) => {
        concat!("#!lua flags=allow-oom\n", $text)
    };
}

/// A script, and the digest that servers know it by once they have seen it.
struct Text {
    text: &'static str,
    digest: LazyLock<String>,
}

/// A script in two wordings that do the same.
pub(super) struct KnownScript {
    /// For Redis 7 and Valkey: with flags, `GT`, and the time within a script.
    full: Text,
    /// For servers that lack one of these.
    plain: Text,
}

macro_rules! script {
    ($name:ident, $full:expr, $plain:expr) => {
        pub(super) static $name: KnownScript = KnownScript {
            full: script!($full),
            plain: script!($plain),
        };
    };
    ($text:expr) => {
        Text {
            text: $text,
            digest: LazyLock::new(|| Script::new($text).get_hash().to_owned()),
        }
    };
}

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("scripts/", $name, ".lua"))
    };
}

script!(INSERT, file!("insert"), file!("plain_insert"));
script!(SWAP, file!("swap"), file!("plain_swap"));
script!(SWAP_REVOKING, revoking!(file!("swap")), file!("plain_swap"));
script!(REPLACE, file!("replace"), file!("replace"));
script!(
    REPLACE_REVOKING,
    revoking!(file!("replace")),
    file!("replace")
);

/// How a script is sent. Servers forget scripts when they restart and with `SCRIPT FLUSH`. A node that a slot has moved
/// to may never have had them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// By its text, which teaches the server the digest; else by the digest, which is 40 bytes.
    text: bool,
    /// In the wording that every server understands.
    pub(super) plain: bool,
}

impl Form {
    /// The form for a connection whose server is known to understand the `plain` wording only, or is not.
    pub(super) fn new(wording: Wording, plain: bool) -> Self {
        Self {
            text: wording != Wording::Known,
            plain: match wording {
                Wording::Known => plain,
                Wording::Full => false,
                Wording::Plain => true,
            },
        }
    }
}

/// The choice of what a script is sent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wording {
    /// By the digest of the wording that this connection's server was found to understand.
    Known,
    /// By its text, with what Redis 7 has.
    Full,
    /// By its text, without.
    Plain,
}

impl Wording {
    /// The next to try. A server that does not know a script may be another one than before. So it is asked in full
    /// first, unless the plain wording is `settled`. Scripts that need no flag show nothing about that.
    pub(super) fn next(self, settled: bool) -> Option<Self> {
        match self {
            Self::Known if settled => Some(Self::Plain),
            Self::Known => Some(Self::Full),
            Self::Full => Some(Self::Plain),
            Self::Plain => None,
        }
    }
}

impl KnownScript {
    /// The beginning of a call: arguments follow, of so many bytes.
    pub(super) fn call(&self, form: Form, key: &str, count: usize, bytes: usize) -> Cmd {
        let script = if form.plain { &self.plain } else { &self.full };
        let (command, name) = if form.text {
            ("EVAL", script.text)
        } else {
            ("EVALSHA", script.digest.as_str())
        };
        // Room for all of it at once: records are large, and would be moved whenever it grows.
        let own = command.len() + name.len() + 1 + key.len();
        let mut call = Cmd::with_capacity(4 + count, own + bytes);
        call.arg(command).arg(name).arg(1).arg(key);
        call
    }
}
