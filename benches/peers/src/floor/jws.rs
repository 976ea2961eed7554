//! A signed token: its header is compared, its signature is where its length says.

use ring::hmac;

use super::{Refused, base64::decode_array};

/// The characters of an HS256 signature.
const SIGNATURE: usize = 43;

/// Verifies `token` and returns its payload, still encoded. `header` ends with its dot. A dot too many is
/// then in the payload, and no base64.
pub fn open<'t>(mac: &hmac::Key, header: &str, token: &'t [u8]) -> Result<&'t [u8], Refused> {
    let (input, signature) = token.split_last_chunk::<SIGNATURE>().ok_or(Refused)?;
    let input = input.strip_suffix(b".").ok_or(Refused)?;
    let payload = input.strip_prefix(header.as_bytes()).ok_or(Refused)?;
    let signature: [u8; 32] = decode_array(signature)?;
    hmac::verify(mac, input, &signature).map_err(|_| Refused)?;
    Ok(payload)
}
