//! Whatever comes is let through or refused, and how it is cut does not count.

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::Full;
use proptest::prelude::*;
use tower::{Layer, ServiceExt};
use tower_bearer::{csrf::CsrfFormLayer, rejection::CsrfReason};

use super::{
    URL_ENCODED, form,
    inner::{Inner, Seen, Step, Steps},
    masked, post, token,
};
use crate::support::csrf::reason;

/// The same form as one piece and cut at these places: the reason, and what was handed on.
fn both_ways(
    layer: &CsrfFormLayer,
    kind: &HeaderValue,
    body: &[u8],
    cuts: &[usize],
) -> [(Option<CsrfReason>, Option<Seen>); 2] {
    let send = |steps: Vec<Step>| {
        let inner = Inner::default();
        let mut request: Request<Steps> = post(Steps::new(steps));
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, kind.clone());
        let answer = layer.layer(inner.clone()).oneshot(request);
        let response = answer.now_or_never().expect("ready").unwrap();
        let status = response.status();
        match reason(&response) {
            None => assert_eq!(status, StatusCode::OK),
            Some(CsrfReason::BodyTooLarge) => assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE),
            Some(_) => assert_eq!(status, StatusCode::FORBIDDEN),
        }
        assert_eq!(reason(&response).is_none(), inner.seen().is_some());
        (reason(&response), inner.seen())
    };
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (body.len() + 1)).collect();
    cuts.extend([0, body.len()]);
    cuts.sort_unstable();
    let pieces = cuts
        .windows(2)
        .map(|pair| Step::Data(body[pair[0]..pair[1]].to_vec()));
    [
        send(vec![Step::Data(body.to_vec())]),
        send(pieces.collect()),
    ]
}

/// Pieces of which forms consist, so that many of the made-up ones are nearly good.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<Vec<u8>> = [
        "csrf_token=",
        "csrf%5Ftoken=",
        "&",
        "=",
        "%",
        "+",
        "--b",
        "--",
        "\r\n",
        "\r\n\r\n",
        "--b\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\n",
        "Content-Disposition: form-data; name=",
        "; filename=\"",
        "\"csrf_token\"",
        "\\\"",
        "Content-Type: text/plain; charset=",
        "\r\n--b--\r\n",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([token().into_bytes(), masked().into_bytes()])
    .collect();
    prop_oneof![
        3 => proptest::sample::select(known),
        1 => proptest::collection::vec(any::<u8>(), 0..20),
    ]
}

fn content_type() -> impl Strategy<Value = HeaderValue> {
    let known = prop_oneof![
        Just(URL_ENCODED.to_owned()),
        Just("multipart/form-data; boundary=b".to_owned()),
        "multipart/form-data; ?boundary=\"?[ -~]{0,80}",
    ];
    let bytes = proptest::collection::vec(any::<u8>(), 0..60);
    prop_oneof![
        6 => known.prop_map(|text| HeaderValue::from_str(&text).unwrap()),
        1 => bytes.prop_filter_map("HTTP cannot carry it", |bytes| HeaderValue::from_bytes(&bytes).ok()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_body_is_judged_the_same_in_any_pieces(
        fragments in proptest::collection::vec(fragment(), 0..12),
        kind in content_type(),
        cuts in proptest::collection::vec(any::<usize>(), 0..8),
        limit in prop_oneof![Just(65_536_usize), 0..600_usize],
    ) {
        let layer = form().body_limit(limit);
        let body = fragments.concat();
        let [whole, cut] = both_ways(&layer, &kind, &body, &cuts);
        prop_assert_eq!(whole.0, cut.0);
        for (_, seen) in [whole, cut] {
            if let Some(seen) = seen {
                prop_assert!(body.len() <= limit);
                prop_assert_eq!(&seen.data, &body);
                // Nothing passes that does not have the token in it, raw or masked.
                let text = String::from_utf8_lossy(&body).into_owned();
                prop_assert!(text.contains(&token()) || text.contains(&masked()));
            }
        }
    }

    #[test]
    fn a_good_form_passes_with_anything_around_it(
        before in "[a-z=&%+]{0,40}",
        after in proptest::collection::vec(any::<u8>(), 0..40),
        cuts in proptest::collection::vec(any::<usize>(), 0..8),
    ) {
        let mut body = format!("{before}&csrf_token={}&", masked()).into_bytes();
        body.extend(after);
        let kind = HeaderValue::from_static(URL_ENCODED);
        let again = form_urlencoded::parse(&body).filter(|(name, _)| name == "csrf_token").count();
        prop_assume!(again == 1);
        for (reason, seen) in both_ways(&form(), &kind, &body, &cuts) {
            prop_assert_eq!(reason, None);
            prop_assert_eq!(seen.unwrap().data, body.clone());
        }
    }
}

/// Any other character in any place of the copy is refused.
#[test]
fn only_the_token_itself_passes() {
    let service = form().layer(Inner::default());
    let mut tried = 0;
    for copy in [token(), masked()] {
        for at in 0..copy.len() {
            for other in "AZaz09-_.~=%+& ".bytes() {
                let mut changed = copy.clone().into_bytes();
                if changed[at] == other {
                    continue;
                }
                changed[at] = other;
                let body = [b"csrf_token=".to_vec(), changed].concat();
                let request = post(Full::new(Bytes::from(body)));
                let answer = service.clone().oneshot(request).now_or_never();
                let response = answer.unwrap().unwrap();
                assert_eq!(
                    response.status(),
                    StatusCode::FORBIDDEN,
                    "{copy} {at} {other}"
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 3000, "{tried}");
}
