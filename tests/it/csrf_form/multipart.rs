//! Forms with files in them.

use http::{Request, StatusCode, header};
use tower_bearer::CsrfReason;

use super::{form, masked, post, send, token};
use crate::support::csrf::{self, reason};

fn part(head: &str, value: &str) -> String {
    format!("--b0\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n")
}

fn request(content_type: &str, body: String) -> Request<String> {
    let mut request = post(body);
    let value = content_type.parse().unwrap();
    request.headers_mut().insert(header::CONTENT_TYPE, value);
    request
}

const TYPE: &str = "multipart/form-data; boundary=b0";

#[tokio::test]
async fn the_part_is_found_among_files_and_the_bytes_are_handed_on() {
    let file = part(
        "name=\"upload\"; filename=\"a.txt\"",
        "csrf_token=junk\r\n--b",
    );
    for copy in [token(), masked()] {
        for parts in [
            vec![part("name=\"csrf_token\"", &copy)],
            vec![file.clone(), part("name=csrf_token", &copy), file.clone()],
            vec![
                part("name=\"csrf_tokens\"", "x"),
                part("name=\"csrf_token\"", &copy),
            ],
        ] {
            let body = parts.concat() + "--b0--\r\n";
            for kind in [TYPE, "Multipart/Form-Data;Boundary=\"b0\"; charset=utf-8"] {
                let request = request(kind, body.clone());
                let (response, seen) = send(&form().multipart(), request).await;
                assert_eq!(response.status(), StatusCode::OK, "{:?}", reason(&response));
                assert_eq!(seen.unwrap().data, body.as_bytes());
            }
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_part_is_wrong_with_the_form() {
    use CsrfReason::*;

    let good = part("name=\"csrf_token\"", &token());
    let as_file = part("name=\"csrf_token\"; filename=\"t\"", &token());
    let end = "--b0--\r\n";
    let other = csrf::issue(&super::layer()).await;
    for (body, why) in [
        (String::new(), TokenMissing),
        (end.to_owned(), TokenMissing),
        (good.clone(), TokenMissing),
        (format!("csrf_token={}", token()), TokenMissing),
        (part("name=\"a\"", "b") + end, TokenMissing),
        (part("name=\"csrf_token\"", "") + end, TokenMissing),
        (as_file.clone() + end, TokenMissing),
        (as_file.clone() + &good + end, TokenDuplicate),
        (good.clone() + &as_file + end, TokenDuplicate),
        (good.clone() + &good + end, TokenDuplicate),
        (part("name=\"csrf_token\"", "junk") + end, TokenMalformed),
        (part("name=\"csrf_token\"", &other) + end, TokenMismatch),
        (
            part("name=\"csrf_token\"", &format!(" {}", token())) + end,
            TokenMalformed,
        ),
    ] {
        let (response, seen) = send(&form().multipart(), request(TYPE, body.clone())).await;
        assert_eq!(reason(&response), Some(why), "{body}");
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert!(seen.is_none());
    }
}

#[tokio::test]
async fn it_is_opted_into_and_keeps_to_the_limits() {
    let good = part("name=\"csrf_token\"", &token());
    let body = good.clone() + "--b0--";
    let length = body.len();
    let (response, _) = send(&form(), request(TYPE, body.clone())).await;
    assert_eq!(reason(&response), Some(CsrfReason::TokenMissing));
    // The other encoding is read as before.
    let (_, seen) = send(&form().multipart(), post(format!("csrf_token={}", token()))).await;
    assert!(seen.is_some());
    for (limit, passes) in [(length, true), (length - 1, false)] {
        let layer = form().multipart().body_limit(limit);
        let (response, seen) = send(&layer, request(TYPE, body.clone())).await;
        assert_eq!(seen.is_some(), passes);
        if !passes {
            assert_eq!(reason(&response), Some(CsrfReason::BodyTooLarge));
        }
    }
    // A thousand parts and no more.
    for (others, passes) in [(999, true), (1000, false)] {
        let body = part("name=a", "").repeat(others) + &body;
        let (response, seen) = send(&form().multipart(), request(TYPE, body)).await;
        assert_eq!(seen.is_some(), passes, "{others}");
        if !passes {
            assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        }
    }
}

#[tokio::test]
async fn a_boundary_that_parsers_could_read_differently_is_none() {
    let body = part("name=\"csrf_token\"", &token()) + "--b0--";
    for kind in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=b0; boundary=b1",
        "multipart/form-data; boundary=b0; Boundary=b0",
        "multipart/mixed; boundary=b0",
        "multipart/form-data, text/plain; boundary=b0",
    ] {
        let (response, _) = send(&form().multipart(), request(kind, body.clone())).await;
        assert_eq!(reason(&response), Some(CsrfReason::TokenMissing), "{kind}");
    }
    for (length, passes) in [(70, true), (71, false)] {
        let boundary = "b".repeat(length);
        let body = body.replace("b0", &boundary);
        let kind = format!("multipart/form-data; boundary={boundary}");
        let (_, seen) = send(&form().multipart(), request(&kind, body)).await;
        assert_eq!(seen.is_some(), passes, "{length}");
    }
}
