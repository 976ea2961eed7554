//! An encrypted token: its header is compared, all positions follow from the lengths of iv and tag.

use ring::aead::{Aad, LessSafeKey, Nonce, Tag};

use super::{
    Refused,
    base64::{Buffer, decode_array},
};

/// The characters of an iv and of a tag.
const IV: usize = 16;
const TAG: usize = 22;

/// Opens `token` into `buffer`. `header` ends with both of the dots around the key that is not there. A dot
/// too many is then in the content, and no base64.
pub fn open<'b>(
    key: &LessSafeKey,
    header: &str,
    token: &[u8],
    buffer: &'b mut Buffer,
) -> Result<&'b [u8], Refused> {
    let rest = token.strip_prefix(header.as_bytes()).ok_or(Refused)?;
    let (iv, rest) = rest.split_first_chunk::<IV>().ok_or(Refused)?;
    let rest = rest.strip_prefix(b".").ok_or(Refused)?;
    let (rest, tag) = rest.split_last_chunk::<TAG>().ok_or(Refused)?;
    let content = rest.strip_suffix(b".").ok_or(Refused)?;
    let aad = header.as_bytes().strip_suffix(b"..").ok_or(Refused)?;

    let iv = Nonce::assume_unique_for_key(decode_array(iv)?);
    let tag = Tag::from(decode_array::<16>(tag)?);
    let content = buffer.decode(content)?;
    let opened = key.open_in_place_separate_tag(iv, Aad::from(aad), tag, content, 0..);
    opened.map(|plain| &*plain).map_err(|_| Refused)
}
