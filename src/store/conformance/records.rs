//! A store keeps the record that it was given, whatever its content.

use super::{
    Rule,
    look::{Outcome, add, apply, expect, expect_listed, revoke, sign_in},
    sample::{MANY, Subject, name, rotated},
};
use crate::{
    clock::Timestamp,
    keys::SubjectTag,
    session::{SessionId, SessionRecord},
    store::{RefreshStore, SessionKey},
};

pub(super) async fn an_inserted_record_is_loaded_unchanged(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("an inserted record is loaded unchanged");
    let subject = Subject::new(store, rule).await?;
    let mut record = subject.record(rule)?;
    record.presented_at = Some(subject.now);
    record.previous = Some([7; 32]);
    record.barrier = true;
    record.recoveries = 3;
    record.generation = u64::MAX;
    add(store, rule, &record, MANY).await?;
    expect(store, rule, &record, Some(&record)).await?;
    expect_listed(store, rule, &subject, &[&record]).await
}

pub(super) async fn the_largest_record_is_kept_whole(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("a record of the largest size is kept whole");
    let subject = Subject::new(store, rule).await?;
    let small = sign_in(store, rule, &subject).await?;
    let record = subject.largest(rule)?;
    add(store, rule, &record, MANY).await?;
    expect(store, rule, &record, Some(&record)).await?;
    // A small one may grow to it.
    let mut grown = subject.largest(rule)?;
    grown.id = small.id;
    apply(store, rule, &small, &grown).await?;
    expect_listed(store, rule, &subject, &[&record, &grown]).await
}

/// Text, and keys that are cut off or padded, take some names for the same.
pub(super) async fn names_are_bytes(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("names that differ in any byte are those of different subjects and sessions");
    let subject = Subject::new(store, rule).await?;
    let mut records = vec![];
    for id in neighbours(name(rule)?) {
        let mut record = subject.record(rule)?;
        record.id = SessionId::from_bytes(id);
        add(store, rule, &record, MANY).await?;
        records.push(record);
    }
    for record in &mut records {
        expect(store, rule, record, Some(record)).await?;
        let next = rotated(record, 1);
        apply(store, rule, record, &next).await?;
        *record = next;
    }
    expect_listed(store, rule, &subject, &records.iter().collect::<Vec<_>>()).await?;

    let mut subjects = vec![];
    for tag in neighbours(name(rule)?) {
        let subject = Subject::named(SubjectTag::from_bytes(tag), store, rule).await?;
        let record = subject.record(rule)?;
        add(store, rule, &record, 1).await?;
        subjects.push((subject, record));
    }
    for (subject, record) in &subjects {
        expect(store, rule, record, Some(record)).await?;
        expect_listed(store, rule, subject, &[record]).await?;
        revoke(store, rule, subject, None, &[record]).await?;
    }
    Ok(())
}

/// Names that are told apart by bytes alone.
fn neighbours(mut name: [u8; 16]) -> [[u8; 16]; 5] {
    // As base64 this begins with `AAAA`. Behind the zero a text in C has ended.
    name[..5].copy_from_slice(&[0, 0, 0, b'a', 0]);
    name[15] = 0;
    let with = |at: usize, bytes: &[u8]| {
        let mut other = name;
        for (byte, new) in other.iter_mut().skip(at).zip(bytes) {
            *byte = *new;
        }
        other
    };
    // `aaaa` as base64, the byte as the other letter, behind the zero, and what pads.
    [
        name,
        with(0, &[0x69, 0xa6, 0x9a]),
        with(3, b"A"),
        with(5, &[!name[5]]),
        with(15, b" "),
    ]
}

/// Where counters end: what is narrower than a time takes these for the distant past.
const FAR: [u64; 5] = [
    // Signed seconds of 32 bits, in 2038.
    1000 << 31,
    // Unsigned ones, in 2106; of milliseconds both have only the lower bits.
    1000 << 32,
    // Signed milliseconds of 32 bits.
    (1 << 41) + (1 << 31),
    // Nanoseconds of 64 bits, in 2554.
    u64::MAX / 1_000_000 + 1000,
    // A lifetime without an end.
    u64::MAX,
];

pub(super) async fn a_far_expiry_is_kept(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("a session that expires in a distant future is kept, counted and revoked");
    let subject = Subject::new(store, rule).await?;
    let mut records = vec![];
    for at in FAR.map(Timestamp::from_millis) {
        let mut record = subject.record(rule)?;
        (record.absolute_expires_at, record.idle_expires_at) = (at, at);
        add(store, rule, &record, MANY).await?;
        expect(store, rule, &record, Some(&record)).await?;
        records.push(record);
    }
    let all: Vec<&SessionRecord> = records.iter().collect();
    expect_listed(store, rule, &subject, &all).await?;
    let early = sign_in(store, rule, &subject).await?;
    let mut late = early.clone();
    late.absolute_expires_at = Timestamp::from_millis(u64::MAX);
    late.idle_expires_at = late.absolute_expires_at;
    apply(store, rule, &early, &late).await?;
    let dropped = rule
        .answer(store.insert(&subject.record(rule)?, all.len() + 1))
        .await?
        .dropped;
    rule.check(dropped.len() == 1, || {
        format!("{} were dropped for one too many", dropped.len())
    })?;
    let revoked = rule.answer(store.revoke_all(subject.tag(), None)).await?;
    rule.check(revoked.len() == all.len() + 1, || {
        format!("{} of {} were revoked", revoked.len(), all.len() + 1)
    })
}

const APART: Rule = Rule("nothing that is done to one subject touches another");

pub(super) async fn a_foreign_tag_finds_nothing(store: &impl RefreshStore) -> Outcome {
    let (ours, theirs) = (
        Subject::new(store, APART).await?,
        Subject::new(store, APART).await?,
    );
    let mine = sign_in(store, APART, &ours).await?;
    let yours = sign_in(store, APART, &theirs).await?;
    expect_listed(store, APART, &ours, &[&mine]).await?;
    // The id of one under the tag of the other is the address of nothing.
    let crossed = SessionKey::new(*theirs.tag(), mine.id);
    let found = APART.answer(store.load(&crossed)).await?.record;
    APART.check(found.is_none(), || {
        "an id was found under a foreign tag".into()
    })?;
    expect_listed(store, APART, &theirs, &[&yours]).await
}

pub(super) async fn subjects_are_counted_and_revoked_apart(store: &impl RefreshStore) -> Outcome {
    let (ours, theirs) = (
        Subject::new(store, APART).await?,
        Subject::new(store, APART).await?,
    );
    let (mine, yours) = (ours.record(APART)?, theirs.record(APART)?);
    add(store, APART, &mine, 1).await?;
    add(store, APART, &yours, 1).await?;
    revoke(store, APART, &theirs, Some(&mine.id), &[&yours]).await?;
    expect(store, APART, &mine, Some(&mine)).await?;
    expect_listed(store, APART, &ours, &[&mine]).await
}
