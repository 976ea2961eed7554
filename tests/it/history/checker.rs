//! Whether what clients were answered can have come of a store that does one thing at a time.
//!
//! Pure: a history in, a verdict out. Every version of a session is written by one swap only. So the versions of a
//! session are a chain, and each answer shows a place in it.

use std::collections::{BTreeMap, BTreeSet};

/// One state of one session. `revoke_all` leaves the mark and ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    pub session: u32,
    /// Another one for each version that a client wrote.
    pub mark: u32,
    pub is_live: bool,
}

/// The mark of an end of which it is not known which version it ended. An instance that remembers an end says so of
/// whatever it reads.
pub const SOME: u32 = u32::MAX;

/// A question of one client and its answer, about the sessions of one subject. No two moments are equal.
#[derive(Clone, Debug)]
pub struct Call {
    pub start: u64,
    pub end: u64,
    pub did: Did,
}

#[derive(Clone, Debug)]
pub enum Did {
    Insert {
        version: Version,
        is_answered: bool,
    },
    Load {
        session: u32,
        found: Option<Version>,
    },
    Swap {
        from: Version,
        to: Version,
        answer: Answer,
    },
    List(Vec<Version>),
    RevokeAll {
        keep: Option<u32>,
        /// Nothing where there was no answer.
        revoked: Option<Vec<u32>>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Applied,
    Conflict(Option<Version>),
    /// An error: it may have happened, or may yet.
    Unknown,
}

/// Something that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Two versions follow this one.
    Fork(Version),
    /// A swap was applied, and later this was seen, which is no successor.
    LostUpdate(Option<Version>),
    /// Something newer was seen before this one was.
    Stale(Option<Version>),
    /// A session that was there before `revoke_all` was seen live after it.
    Survivor(Version),
    /// It was seen, and no client had written it by then.
    Invented(Version),
    /// The conflict shows what the caller wanted to replace, or what it wanted to store.
    NoConflict(Version),
    /// A conflict was the answer to a swap that was applied, and nothing was sent twice.
    HiddenBy(Version),
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    pub applied: usize,
    pub conflicts: usize,
    pub unknown: usize,
    /// Conflicts to a swap that had been applied when it was sent the first time.
    pub hidden: usize,
    pub revocations: usize,
}

impl std::ops::AddAssign for Checked {
    fn add_assign(&mut self, other: Self) {
        self.applied += other.applied;
        self.conflicts += other.conflicts;
        self.unknown += other.unknown;
        self.hidden += other.hidden;
        self.revocations += other.revocations;
    }
}

/// An answer that shows a version, or that there is none.
#[derive(Clone, Copy)]
struct Seen {
    start: u64,
    end: u64,
    session: u32,
    version: Option<Version>,
    by_swap: bool,
}

/// Judges all calls about one subject. `resends` says that what lies between may send a call twice.
///
/// # Errors
///
/// The first thing found that no order of the calls explains.
pub fn check(history: &[Call], resends: bool) -> Result<Checked, Flaw> {
    let written = Written::of(history);
    let mut existing = BTreeSet::new();
    let (ends, seen): (Vec<Seen>, Vec<Seen>) = all_seen(history)
        .into_iter()
        .partition(|look| look.version.is_some_and(|version| version.mark == SOME));
    for look in &seen {
        // With what came before it.
        let mut before = look.version;
        while let Some(version) = before {
            if written
                .since(history, version)
                .is_none_or(|since| since > look.end)
            {
                return Err(Flaw::Invented(version));
            }
            let is_new = existing.insert(version);
            before = written.parent(version).filter(|_| is_new);
        }
    }
    let places = places(&written, &existing)?;
    in_order(&seen, &places)?;
    remembered_ends(history, &ends, &seen)?;
    no_survivors(history, &seen)?;
    count(history, &existing, resends)
}

/// Versions that clients tried to write: from which version, and when first.
struct Written {
    roots: BTreeMap<Version, u64>,
    swaps: BTreeMap<Version, (Version, u64)>,
}

impl Written {
    fn of(history: &[Call]) -> Self {
        let (mut roots, mut swaps) = (BTreeMap::new(), BTreeMap::new());
        for call in history {
            match &call.did {
                Did::Insert { version, .. } => {
                    let since = roots.entry(*version).or_insert(call.start);
                    *since = call.start.min(*since);
                }
                Did::Swap { from, to, .. } => {
                    let (_, since) = swaps.entry(*to).or_insert((*from, call.start));
                    *since = call.start.min(*since);
                }
                _ => {}
            }
        }
        Self { roots, swaps }
    }

    fn parent(&self, version: Version) -> Option<Version> {
        match self.swaps.get(&version) {
            Some((from, _)) => Some(*from),
            // The work of `revoke_all`.
            None => (!version.is_live).then_some(Version {
                is_live: true,
                ..version
            }),
        }
    }

    /// The first moment at which the version can have been there.
    fn since(&self, history: &[Call], version: Version) -> Option<u64> {
        if let Some((_, since)) = self.swaps.get(&version) {
            return Some(*since);
        }
        if version.is_live {
            return self.roots.get(&version).copied();
        }
        let revocations = history.iter().filter(
            |call| matches!(call.did, Did::RevokeAll { keep, .. } if keep != Some(version.session)),
        );
        let first = revocations.map(|call| call.start).min()?;
        let live = self.parent(version)?;
        Some(first.max(self.since(history, live)?))
    }
}

fn all_seen(history: &[Call]) -> Vec<Seen> {
    let inserted: BTreeMap<u32, u64> = history
        .iter()
        .filter_map(|call| match call.did {
            Did::Insert {
                version,
                is_answered: true,
            } => Some((version.session, call.end)),
            _ => None,
        })
        .collect();
    let mut seen = Vec::new();
    for call in history {
        let (start, end) = (call.start, call.end);
        let mut look = |session, version, by_swap| {
            seen.push(Seen {
                start,
                end,
                session,
                version,
                by_swap,
            });
        };
        match &call.did {
            Did::Insert {
                version,
                is_answered: true,
            } => look(version.session, Some(*version), true),
            Did::Load { session, found } => look(*session, *found, false),
            Did::Swap {
                to,
                answer: Answer::Applied,
                ..
            } => look(to.session, Some(*to), true),
            Did::Swap {
                from,
                answer: Answer::Conflict(found),
                ..
            } => look(from.session, *found, false),
            Did::List(found) => {
                found
                    .iter()
                    .for_each(|version| look(version.session, Some(*version), false));
                // A session that is missing was seen not to be there.
                for session in inserted.keys() {
                    if found.iter().all(|version| version.session != *session) {
                        look(*session, None, false);
                    }
                }
            }
            _ => {}
        }
    }
    seen
}

/// The place of each version in the chain of its session, the first being 1.
fn places(
    written: &Written,
    existing: &BTreeSet<Version>,
) -> Result<BTreeMap<Version, usize>, Flaw> {
    let mut children = BTreeMap::new();
    for version in existing {
        if let Some(parent) = written.parent(*version)
            && children.insert(parent, *version).is_some()
        {
            return Err(Flaw::Fork(parent));
        }
    }
    let mut places = BTreeMap::new();
    for root in existing
        .iter()
        .filter(|version| written.parent(**version).is_none())
    {
        let (mut next, mut place) = (Some(*root), 1);
        while let Some(version) = next {
            places.insert(version, place);
            place += 1;
            next = children.get(&version).copied();
            // An end is for ever.
            if let Some(next) = next.filter(|next| next.is_live && !version.is_live) {
                return Err(Flaw::Survivor(next));
            }
        }
    }
    Ok(places)
}

/// No answer that came before a call began is newer than what that call shows.
fn in_order(seen: &[Seen], places: &BTreeMap<Version, usize>) -> Result<(), Flaw> {
    let place = |look: &Seen| look.version.map_or(0, |version| places[&version]);
    let mut by_end: Vec<&Seen> = seen.iter().collect();
    by_end.sort_by_key(|look| look.end);
    let mut by_start: Vec<&Seen> = seen.iter().collect();
    by_start.sort_by_key(|look| look.start);
    let mut newest: BTreeMap<u32, (usize, bool)> = BTreeMap::new();
    let mut ended = by_end.into_iter().peekable();
    for look in by_start {
        while let Some(before) = ended.next_if(|before| before.end < look.start) {
            let newest = newest.entry(before.session).or_default();
            *newest = (*newest).max((place(before), before.by_swap));
        }
        let (known, by_swap) = newest.get(&look.session).copied().unwrap_or_default();
        match place(look) < known {
            true if by_swap => return Err(Flaw::LostUpdate(look.version)),
            true => return Err(Flaw::Stale(look.version)),
            false => {}
        }
    }
    Ok(())
}

/// A client had ended the session by then, and it is over for good.
fn remembered_ends(history: &[Call], ends: &[Seen], seen: &[Seen]) -> Result<(), Flaw> {
    for end in ends {
        let is_end = |call: &&Call| match call.did {
            Did::RevokeAll { keep, .. } => keep != Some(end.session),
            Did::Swap { to, .. } => to.session == end.session && !to.is_live,
            _ => false,
        };
        let first = history.iter().filter(is_end).map(|call| call.start).min();
        if let Some(version) = end.version
            && first.is_none_or(|first| first > end.end)
        {
            return Err(Flaw::Invented(version));
        }
        let later = seen
            .iter()
            .filter(|look| look.start > end.end && look.session == end.session);
        let live = later
            .filter_map(|look| look.version)
            .find(|version| version.is_live);
        if let Some(version) = live {
            return Err(Flaw::Survivor(version));
        }
    }
    Ok(())
}

fn no_survivors(history: &[Call], seen: &[Seen]) -> Result<(), Flaw> {
    let mut first_seen: BTreeMap<u32, u64> = BTreeMap::new();
    for look in seen.iter().filter(|look| look.version.is_some()) {
        let first = first_seen.entry(look.session).or_insert(look.end);
        *first = look.end.min(*first);
    }
    for call in history {
        let Did::RevokeAll {
            keep,
            revoked: Some(revoked),
        } = &call.did
        else {
            continue;
        };
        let survivor = seen
            .iter()
            .filter(|look| look.start > call.end)
            .find_map(|look| {
                let version = look.version.filter(|version| version.is_live)?;
                let was_there =
                    first_seen[&look.session] < call.start && *keep != Some(look.session);
                (was_there || revoked.contains(&look.session)).then_some(version)
            });
        if let Some(version) = survivor {
            return Err(Flaw::Survivor(version));
        }
    }
    Ok(())
}

fn count(history: &[Call], existing: &BTreeSet<Version>, resends: bool) -> Result<Checked, Flaw> {
    let mut checked = Checked::default();
    for call in history {
        match &call.did {
            Did::RevokeAll {
                revoked: Some(_), ..
            } => checked.revocations += 1,
            Did::Swap {
                answer: Answer::Applied,
                ..
            } => checked.applied += 1,
            Did::Swap {
                answer: Answer::Unknown,
                ..
            } => checked.unknown += 1,
            Did::Swap {
                from,
                to,
                answer: Answer::Conflict(found),
            } => {
                checked.conflicts += 1;
                if let Some(found) = found.filter(|found| [from, to].contains(&found)) {
                    return Err(Flaw::NoConflict(found));
                }
                if existing.contains(to) {
                    checked.hidden += 1;
                    if !resends {
                        return Err(Flaw::HiddenBy(*to));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(checked)
}
