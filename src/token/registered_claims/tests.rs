use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn rules() -> Rules {
    Rules {
        issuers: Some(["https://id.example".to_owned()].into()),
        audiences: Some(["api".to_owned(), "b".to_owned()].into()),
        leeway: Duration::from_secs(60),
        max_age: None,
        subject_optional: false,
        audience_claim: None,
        scope_claims: None,
        preamble: Preamble::default(),
    }
}

fn judge_by(rules: &Rules, json: &str) -> Result<Timestamp, TokenErrorKind> {
    let (mut claims, mut members) = (Registered::default(), Members::new());
    claims
        .read(json, rules, &mut members)
        .and_then(|()| claims.check(rules, NOW, Purpose::Typed, &members))
        .map_err(|error| error.kind())
}

/// The result of reading a text that is well-formed.
fn read<'a>(json: &'a str, rules: &'a Rules) -> (Registered<'a>, Members<'a>) {
    let (mut claims, mut members) = (Registered::default(), Members::new());
    claims.read(json, rules, &mut members).unwrap();
    (claims, members)
}

/// Judges a good token with `changes` (member, JSON text) made to it; an empty text removes.
fn judge(changes: &[(&str, &str)]) -> Result<Timestamp, TokenErrorKind> {
    judge_by(&rules(), &claims(changes))
}

fn claims(changes: &[(&str, &str)]) -> String {
    let mut members = vec![
        ("iss", "\"https://id.example\""),
        ("sub", "\"user-1\""),
        ("aud", "\"api\""),
        ("exp", "1800000300"),
    ];
    for change in changes {
        members.retain(|member| member.0 != change.0);
        members.extend((!change.1.is_empty()).then_some(*change));
    }
    let members: Vec<String> = members
        .iter()
        .map(|(n, v)| format!("\"{n}\":{v}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

#[test]
fn a_good_token_is_good_until_the_leeway_after_exp() {
    assert_eq!(judge(&[]), Ok(Timestamp::from_secs(1_800_000_300)));
    assert!(judge(&[("exp", "1799999940.5")]).is_ok());
    assert!(judge(&[("exp", "1.7999999405e9")]).is_ok());
    assert!(judge(&[("exp", "253402300799")]).is_ok());
    for exp in ["1799999940", "0", "-1", "1799999940.0", "-1e300", "1e-5"] {
        assert_eq!(
            judge(&[("exp", exp)]),
            Err(TokenErrorKind::Expired),
            "{exp}"
        );
    }
}

#[test]
fn dates_are_numbers_up_to_the_year_9999() {
    for claim in ["exp", "nbf", "iat"] {
        for value in [
            "null",
            "\"1900000000\"",
            "[1900000000]",
            "{}",
            "true",
            "1e300",
            "253402300800",
            "18446744073709551615",
            "1e400",
            "253402300799.5",
            "9999999999999999",
        ] {
            let found = judge(&[(claim, value)]);
            assert_eq!(found, Err(TokenErrorKind::Claims), "{claim} {value}");
        }
    }
    assert_eq!(judge(&[("exp", "")]), Err(TokenErrorKind::Claims));
    assert!(judge(&[("nbf", "-62135596800"), ("iat", "-9223372036854775808")]).is_ok());
}

#[test]
fn nothing_comes_from_the_future() {
    for claim in ["nbf", "iat"] {
        assert!(judge(&[(claim, "1800000060")]).is_ok());
        assert_eq!(
            judge(&[(claim, "1800000061")]),
            Err(TokenErrorKind::NotYetValid)
        );
        assert_eq!(
            judge(&[(claim, "1800000060.002")]),
            Err(TokenErrorKind::NotYetValid)
        );
    }
}

#[test]
fn age_is_counted_from_iat() {
    let rules = Rules {
        max_age: Some(Duration::from_secs(100)),
        ..rules()
    };
    let judge = |iat| judge_by(&rules, &claims(&[("iat", iat)]));
    assert!(judge("1799999840").is_ok());
    assert_eq!(judge("1799999839"), Err(TokenErrorKind::TooOld));
    assert_eq!(judge("-1e300"), Err(TokenErrorKind::TooOld));
    assert_eq!(judge(""), Err(TokenErrorKind::TooOld));
}

#[test]
fn the_issuer_is_one_exact_string() {
    for iss in [
        "\"https://id.example/\"",
        "\"HTTPS://id.example\"",
        "\"\"",
        "",
    ] {
        assert_eq!(judge(&[("iss", iss)]), Err(TokenErrorKind::Issuer), "{iss}");
    }
    for iss in ["null", "[\"https://id.example\"]", "1", "{}"] {
        assert_eq!(judge(&[("iss", iss)]), Err(TokenErrorKind::Claims), "{iss}");
    }
    assert!(judge(&[("iss", "\"https:\\/\\/id.\\u0065xample\"")]).is_ok());
}

#[test]
fn an_audience_is_a_string_or_an_array_of_strings() {
    for aud in ["\"b\"", "[\"x\",\"api\"]", "[\"\\u0061pi\"]"] {
        assert!(judge(&[("aud", aud)]).is_ok(), "{aud}");
    }
    for aud in [
        "",
        "\"API\"",
        "\"api b\"",
        "\"api,b\"",
        "[]",
        "\"\"",
        "[\"ap\",\"i\"]",
    ] {
        assert_eq!(
            judge(&[("aud", aud)]),
            Err(TokenErrorKind::Audience),
            "{aud}"
        );
    }
    for aud in [
        "null",
        "1",
        "[\"api\",1]",
        "[null]",
        "[[\"api\"]]",
        "{\"a\":1}",
        "true",
    ] {
        assert_eq!(judge(&[("aud", aud)]), Err(TokenErrorKind::Claims), "{aud}");
    }
    let any = Rules {
        audiences: None,
        ..rules()
    };
    for aud in ["", "\"x\"", "[]"] {
        assert!(judge_by(&any, &claims(&[("aud", aud)])).is_ok());
    }
    assert_eq!(
        judge_by(&any, &claims(&[("aud", "[1]")])),
        Err(TokenErrorKind::Claims)
    );
}

#[test]
fn a_subject_is_required_unless_waived() {
    for sub in ["", "\"\"", "42", "null", "[]"] {
        assert_eq!(judge(&[("sub", sub)]), Err(TokenErrorKind::Claims), "{sub}");
    }
    let optional = Rules {
        subject_optional: true,
        ..rules()
    };
    assert!(judge_by(&optional, &claims(&[("sub", "")])).is_ok());
    assert!(judge_by(&optional, &claims(&[("sub", "\"\"")])).is_err());
}

#[test]
fn a_claim_of_the_wrong_type_is_never_absent() {
    for claim in ["jti", "sid"] {
        for value in ["null", "1", "[]", "{}", "false"] {
            let found = judge(&[(claim, value)]);
            assert_eq!(found, Err(TokenErrorKind::Claims), "{claim} {value}");
        }
    }
}

#[test]
fn a_sender_constrained_token_is_no_bearer_token() {
    for cnf in ["{\"jkt\":\"x\"}", "null", "{}"] {
        assert_eq!(
            judge(&[("cnf", cnf)]),
            Err(TokenErrorKind::SenderConstrained)
        );
    }
}

#[test]
fn repeated_claims_are_refused() {
    for (name, value) in [
        ("iss", "\"https://id.example\""),
        ("exp", "1800000300"),
        ("e\\u0078p", "1800000300"),
        ("aud", "\"api\""),
    ] {
        let json = format!("{},\"{name}\":{value}}}", claims(&[]).trim_end_matches('}'));
        assert_eq!(judge_by(&rules(), &json), Err(TokenErrorKind::Claims));
    }
    let json = format!(
        "{},\"r\":1,\"\\u0072\":1}}",
        claims(&[]).trim_end_matches('}')
    );
    assert_eq!(judge_by(&rules(), &json), Err(TokenErrorKind::Claims));
}

#[test]
fn unknown_members_are_kept_for_the_application() {
    let json = claims(&[("scope", "\"a b\""), ("role", "[1, {\"x\":2}]")]);
    let rules = rules();
    let (claims, members) = read(&json, &rules);
    assert_eq!(claims.scope.as_deref(), Some("a b"));
    let members: Vec<_> = members.iter().map(|m| (&*m.name, m.value)).collect();
    assert_eq!(members, [("scope", "\"a b\""), ("role", "[1, {\"x\":2}]")]);
}

/// A text that begins like our own claims is not read member by member there. That must not show.
#[test]
fn a_preamble_known_by_its_bytes_comes_to_the_same_end() {
    let names = |text: &str| text.to_owned();
    let (mut accepted, mut refused) = (0, 0);
    for (iss, aud) in [
        (Some("https://id.example"), Some("api")),
        (Some("https://id.example"), None),
        (None, Some("api")),
        (Some("a \"quoted\" \\ issuer"), Some("é\n")),
        (None, None),
    ] {
        let rules = |preamble| Rules {
            issuers: iss.map(|iss| [names("x"), names(iss)].into()),
            audiences: aud.map(|aud| [names(aud), names("b")].into()),
            preamble,
            ..rules()
        };
        let (iss, aud) = (iss.map(names), aud.map(names));
        let known = rules(Preamble::new(iss.as_ref(), aud.as_ref(), "aud"));
        let unknown = rules(Preamble::default());
        let begin = known.preamble.as_str();
        for separator in [",", "", ", ", " ,", ",,", "}", "x", "\"", ":1,"] {
            for rest in [
                "\"sub\":\"u\",\"exp\":1800000300}",
                "\"sub\":\"u\",\"exp\":1800000300} \n",
                "\"sub\":\"u\",\"exp\":1800000300}}",
                "\"sub\":\"u\",\"exp\":1800000300,}",
                "\"sub\":\"u\",\"exp\":1800000300",
                "\"sub\":\"u\",\"exp\":1800000300,\"iss\":\"x\"}",
                "\"sub\":\"u\",\"exp\":1800000300,\"\\u0061ud\":\"b\"}",
                "\"sub\":\"u\",\"exp\":1800000300,\"r\":[{\"iss\":1}]}",
                "}",
                "",
            ] {
                let text = format!("{begin}{separator}{rest}");
                let found = judge_by(&known, &text);
                assert_eq!(found, judge_by(&unknown, &text), "{text}");
                *(if found.is_ok() {
                    &mut accepted
                } else {
                    &mut refused
                }) += 1;
                if found.is_ok() && iss.is_some() {
                    let (known, members) = read(&text, &known);
                    let (other, others) = read(&text, &unknown);
                    assert_eq!(known.issuer, other.issuer);
                    assert_eq!(known.audiences, other.audiences);
                    assert_eq!(members.len(), others.len());
                }
            }
        }
    }
    assert!(accepted >= 20 && refused > 300, "{accepted} {refused}");
    // As deep as without it, and no deeper.
    let deep = |n: usize| {
        let (open, close) = ("[".repeat(n), "]".repeat(n));
        format!(
            "{{\"iss\":\"https://id.example\",\"sub\":\"u\",\"exp\":1800000300,\"x\":{open}{close}}}"
        )
    };
    let known = Rules {
        audiences: None,
        preamble: Preamble::new(Some(&names("https://id.example")), None, "aud"),
        ..rules()
    };
    assert!(known.preamble.of(&deep(1)).is_some());
    assert!(judge_by(&known, &deep(31)).is_ok());
    assert_eq!(judge_by(&known, &deep(32)), Err(TokenErrorKind::Claims));
}
