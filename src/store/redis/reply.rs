//! Replies as values of ours. For what is asked here RESP2 and RESP3 say the same.

use redis::Value;

use super::error::unexpected;
use crate::{clock::Timestamp, store::StoreError};

/// Returns the value that was read, and the time behind it.
pub(super) fn with_time<T>(
    replies: Vec<Value>,
    read: impl Fn(Value) -> Option<T>,
) -> Result<(T, Timestamp), StoreError> {
    let mut replies = replies.into_iter();
    let found = replies.next().and_then(read).ok_or_else(unexpected)?;
    let now = replies.next().and_then(time).ok_or_else(unexpected)?;
    Ok((found, now))
}

/// Bytes, `None` where there are none.
pub(super) fn bytes(reply: Value) -> Option<Option<Vec<u8>>> {
    match reply {
        Value::BulkString(bytes) => Some(Some(bytes)),
        Value::Nil => Some(None),
        _ => None,
    }
}

pub(super) fn text(reply: Value) -> Option<String> {
    match reply {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::VerbatimString { text, .. } => Some(text),
        _ => None,
    }
}

/// One field of what `INFO` says.
pub(super) fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = info.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.map(str::trim)
}

/// The content of `TIME`: seconds and the microseconds of the second.
pub(super) fn time(reply: Value) -> Option<Timestamp> {
    let Value::Array(parts) = reply else {
        return None;
    };
    let mut numbers = parts
        .into_iter()
        .map(|part| text(part)?.parse::<u64>().ok());
    let (seconds, micros) = (numbers.next()??, numbers.next()??);
    let millis = seconds.checked_mul(1000)?.checked_add(micros / 1000)?;
    Some(Timestamp::from_millis(millis))
}

/// A session's name and its bytes.
type Pair = (Vec<u8>, Vec<u8>);

/// The reply to `HSCAN`: where it goes on, and what it has found so far. It is at its end where it began.
pub(super) fn page(reply: Value) -> Option<(Vec<u8>, Vec<Pair>)> {
    let (cursor, found) = found(reply)?;
    let mut found = found.into_iter();
    let mut pairs = Vec::with_capacity(found.len() / 2);
    while let Some(name) = found.next() {
        pairs.push((name, found.next()?));
    }
    Some((cursor, pairs))
}

/// The reply to `SCAN`, and the names in that to `HSCAN`. It says where the scan goes on, and which keys it found.
pub(super) fn found(reply: Value) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
    let Value::Array(parts) = reply else {
        return None;
    };
    let [cursor, Value::Array(found)] = <[Value; 2]>::try_from(parts).ok()? else {
        return None;
    };
    let found = found.into_iter().map(|one| bytes(one)?);
    Some((bytes(cursor)??, found.collect::<Option<_>>()?))
}

pub(super) fn number(reply: &Value) -> Option<i64> {
    match reply {
        Value::Int(number) => Some(*number),
        _ => None,
    }
}
