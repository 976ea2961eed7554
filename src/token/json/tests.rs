use proptest::prelude::*;

use super::{
    scalar::{NUMBER, plain_run},
    *,
};

/// Reads `text` as an object with distinct members.
fn read(text: &str) -> Result<(), Fault> {
    let mut names = Vec::new();
    Reader::new(text).only_object(|reader, name| {
        names.push(name);
        reader.value().map(drop)
    })?;
    distinct(&names, |name| name)
}

#[test]
fn well_formed_objects_are_read() {
    for text in [
        "{}",
        " \t\r\n{ } \n",
        r#"{"a":1,"b":[1,"x",true,false,null,{"a":-0.5e+3}],"":""}"#,
        r#"{"a\u0062\ud83d\ude00\n":"\"\\\/\b\f\r\t"}"#,
        "{\"é\":\"ü\u{7f}\u{10ffff}\"}",
    ] {
        assert_eq!(read(text), Ok(()), "{text}");
    }
}

#[test]
fn everything_else_is_refused() {
    for text in [
        "",
        " ",
        "[]",
        "null",
        "1",
        "\"x\"",
        "{",
        "}",
        "{}}",
        "{}{}",
        "{} x",
        "{,}",
        r#"{"a":1,}"#,
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{a:1}"#,
        r#"{'a':1}"#,
        r#"{"a":[1,]}"#,
        r#"{"a":[1 2]}"#,
        r#"{"a":01}"#,
        r#"{"a":+1}"#,
        r#"{"a":.5}"#,
        r#"{"a":1.}"#,
        r#"{"a":1e}"#,
        r#"{"a":0x1}"#,
        r#"{"a":NaN}"#,
        r#"{"a":Infinity}"#,
        r#"{"a":-}"#,
        r#"{"a":1e400}"#,
        r#"{"a":tru}"#,
        r#"{"a":"\x"}"#,
        r#"{"a":"\ud800"}"#,
        r#"{"a":"\udc00"}"#,
        r#"{"a":"\ud800\u0041"}"#,
        r#"{"a":"\u12"}"#,
        "{\"a\":\"\n\"}",
        "{\"a\":\"\0\"}",
        r#"{"a":"x}"#,
        "\u{feff}{}",
        "{\"a\":1\u{a0}}",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
    let digits = format!("{{\"a\":{}}}", "9".repeat(400));
    assert_eq!(read(&digits), Err(NUMBER));
}

#[test]
fn a_repeated_member_is_refused_at_every_level() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":1}"#,
        r#"{"x":{"a":1,"b":2,"a":3}}"#,
        r#"{"x":[[{"a":1,"a":1}]]}"#,
    ] {
        assert_eq!(read(text), Err(DUPLICATE), "{text}");
    }
    let mut many: Vec<String> = (0..100).map(|i| format!("\"m{i}\":{i}")).collect();
    assert_eq!(read(&format!("{{{}}}", many.join(","))), Ok(()));
    many.push("\"m7\":0".to_owned());
    assert_eq!(read(&format!("{{{}}}", many.join(","))), Err(DUPLICATE));
}

/// Names of three letters are read in a way of their own, with a colon right behind them.
#[test]
fn a_name_of_three_letters_is_read_as_any_other() {
    for name in [
        "sub", "zip", "Sub", "s b", "s\"b", "s\\b", "sé", "a:b", "\"\":",
    ] {
        for text in [
            format!("{{{}:1}}", serde_json::Value::from(name)),
            format!("{{ {} : 1 }}", serde_json::Value::from(name)),
        ] {
            let mut seen = Vec::new();
            let read = Reader::new(&text).only_object(|reader, name| {
                seen.push(name.into_owned());
                reader.value().map(drop)
            });
            assert_eq!((read, &*seen), (Ok(()), &[name.to_owned()][..]), "{text}");
        }
    }
    for text in [
        r#"{"sub":1,"sub" :1}"#,
        r#"{"sub":1,"s\u0075b":1}"#,
        r#"{"x":{"sub":1,"sub":1}}"#,
    ] {
        assert_eq!(read(text), Err(DUPLICATE), "{text}");
    }
    for text in [
        r#"{"sub"1}"#,
        r#"{"sub":}"#,
        r#"{"sub":"#,
        "{\"s\nb\":1}",
        "{\"s\0b\":1}",
        r#"{"s\x":1}"#,
        r#"{"sub":1"exp":1}"#,
        r#"{sub:1}"#,
    ] {
        assert_eq!(read(text), Err(SYNTAX), "{text}");
    }
}

#[test]
fn nesting_is_bounded_before_it_recurses() {
    let nested = |n: usize| format!("{{\"x\":{}1{}}}", "[".repeat(n), "]".repeat(n));
    assert_eq!(read(&nested(31)), Ok(()));
    assert_eq!(read(&nested(32)), Err(DEPTH));
    assert_eq!(read(&nested(1_000_000)), Err(DEPTH));
}

#[test]
fn runs_end_at_the_first_special_byte() {
    for special in [b'"', b'\\', 0, 0x1f, b'\n'] {
        for at in 0..40 {
            let mut bytes = [0xe9_u8; 40];
            bytes[at] = special;
            bytes[39] = b'"';
            assert_eq!(plain_run(&bytes, 0), at);
        }
    }
    let ordinary: Vec<u8> = (0x20..=0xff)
        .filter(|b| !matches!(b, b'"' | b'\\'))
        .collect();
    assert_eq!(plain_run(&ordinary, 0), ordinary.len());
}

proptest! {
    /// A general parser takes everything that this reader takes, with the same strings.
    #[test]
    fn it_accepts_no_more_than_serde_json(text in "[{\\[]?(\"[a\\\\u00e9\"]{0,6}\"|[0-9eE.+-]{1,4}|[:,{}\\[\\] ]|true|null){0,12}[}\\]]?") {
        if read(&text).is_ok() {
            prop_assert!(serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text).is_ok());
        }
    }

    #[test]
    fn strings_are_read_as_serde_json_reads_them(value in ".{0,40}", name in "\\PC{0,12}") {
        let text = serde_json::json!({ name.as_str(): value.as_str() }).to_string();
        let mut seen = Vec::new();
        Reader::new(&text).only_object(|reader, name| {
            let value = reader.string()?;
            seen.push((name.into_owned(), value.into_owned()));
            Ok(())
        }).unwrap();
        prop_assert_eq!(seen, vec![(name, value)]);
    }
}
