//! The rows that describe something instead of giving it, each made here.

use http::{Request, header};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};
use tower_bearer::{
    BearerAuthLayer, KeyRing, ManualClock, NoClaims, Timestamp, TokenCodec,
    bearer::{CheckError, Realm},
    token::Grant,
};

use super::{codec, compare};
use crate::support::echo::Echo;

/// How many rows are judged here.
pub(crate) const COUNT: usize = 9;

/// Judges the row, or `None` when it can be run as it is given.
pub(crate) async fn judge(
    name: &str,
    row: &Value,
    fixtures: &Value,
    good: &str,
) -> Option<Result<(), String>> {
    let default = || codec(&Value::Null, fixtures).unwrap();
    Some(match name {
        // A realm that would break out of the header cannot be made.
        "challenge-realm-control-character" => {
            let realm = row["given"]["config"]["realm"].as_str().unwrap();
            match realm.parse::<Realm>() {
                Err(error) if error.setting() == "realm" => Ok(()),
                other => Err(format!("{other:?}")),
            }
        }
        "challenge-500-no-bearer" => {
            let layer = BearerAuthLayer::new(default()).check(|_| Err(CheckError::Internal));
            send(layer, good, row).await
        }
        "ec-point-not-on-curve" => {
            let mut jwks = fixtures["jwks"]["default"].clone();
            jwks["keys"][0]["y"] = jwks["keys"][0]["x"].clone();
            refused_or_unusable(&jwks, good, row).await
        }
        "iss-key-cross-use" => cross_use(row).await,
        // The content key that decides is ours, whatever the header asks for.
        "jwe-cbc-tag-before-padding" => {
            let header = json!({"alg":"dir","enc":"A128CBC-HS256","cty":"JWT","kid":"cek-1"});
            let parts = [
                header.to_string().into_bytes(),
                vec![],
                vec![1; 16],
                vec![2; 64],
                vec![3; 16],
            ];
            let token = parts.map(|part| encode(&part)).join(".");
            let given = json!({"config": {"jwe": true}});
            send(
                BearerAuthLayer::new(codec(&given, fixtures).unwrap()),
                &token,
                row,
            )
            .await
        }
        "jwe-ecdh-invalid-curve" => invalid_curve(row).await,
        "jwk-key-ops-without-verify" => {
            let mut jwks = fixtures["jwks"]["default"].clone();
            jwks["keys"][0]["key_ops"] = json!(["sign"]);
            refused_or_unusable(&jwks, good, row).await
        }
        "jwk-use-enc" => {
            let mut jwks = fixtures["jwks"]["default"].clone();
            jwks["keys"][0]["use"] = json!("enc");
            refused_or_unusable(&jwks, good, row).await
        }
        // A ring is a snapshot: nothing is fetched while it serves, so no issuer can be down.
        "jwks-unreachable-stale-cache" => {
            let jwks = fixtures["jwks"]["default"].to_string();
            let keys = KeyRing::verifier(&jwks).unwrap();
            let failed = KeyRing::verifier("the issuer answers with an error page");
            if failed.is_ok_and(|next| keys.rotate(next).is_ok()) {
                return Some(Err("the keys were replaced by nothing".to_owned()));
            }
            send(BearerAuthLayer::new(over(&keys)), good, row).await
        }
        _ => return None,
    })
}

/// A key that must not verify: the ring is refused, or serves without it.
async fn refused_or_unusable(jwks: &Value, good: &str, row: &Value) -> Result<(), String> {
    match KeyRing::verifier(&jwks.to_string()) {
        Ok(keys) => send(BearerAuthLayer::new(over(&keys)), good, row).await,
        Err(_) => Ok(()),
    }
}

fn over(keys: &KeyRing) -> TokenCodec {
    TokenCodec::signed(keys)
        .issuer("https://issuer.example")
        .audience("https://api.example")
        .clock(clock())
        .build()
        .unwrap()
}

fn clock() -> ManualClock {
    ManualClock::new(Timestamp::from_secs(1_800_000_000))
}

/// Two issuers with a key set each: what one signs in the other's name neither accepts.
async fn cross_use(row: &Value) -> Result<(), String> {
    let (a, b) = (KeyRing::generate().unwrap(), KeyRing::generate().unwrap());
    let codec = |issuer: &str, keys: &KeyRing| {
        TokenCodec::<NoClaims>::signed(keys)
            .issuer(issuer)
            .audience("api")
            .clock(clock())
            .build()
            .unwrap()
    };
    let forged = mint(&codec("https://a.example", &b));
    for accepts in [
        codec("https://a.example", &a),
        codec("https://b.example", &b),
    ] {
        send(BearerAuthLayer::new(accepts), &forged, row).await?;
    }
    Ok(())
}

/// A token whose ephemeral key is not on the curve, for the ring of RFC 7517 appendix A.2.
#[cfg(feature = "josekit")]
async fn invalid_curve(row: &Value) -> Result<(), String> {
    let agreement = json!({
        "kty": "EC", "crv": "P-256", "kid": "ec-1", "alg": "ECDH-ES+A256KW", "enc": "A256GCM", "use": "enc",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
    });
    let keys = KeyRing::builder()
        .access_secret(&random())
        .jwk(&agreement.to_string())
        .build()
        .map_err(|e| e.to_string())?;
    let codec: TokenCodec = TokenCodec::nested(&keys)
        .issuer("https://issuer.example")
        .audience("api")
        .clock(clock())
        .build()
        .map_err(|e| e.to_string())?;
    let token = mint(&codec);
    if codec.verify(&token).is_err() {
        return Err("the untouched token is refused".to_owned());
    }
    let (head, rest) = token.split_once('.').unwrap();
    let head = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(head).unwrap();
    let mut head: Value = serde_json::from_slice(&head).unwrap();
    head["epk"]["y"] = head["epk"]["x"].clone();
    let forged = format!("{}.{rest}", encode(head.to_string().as_bytes()));
    send(BearerAuthLayer::new(codec), &forged, row).await
}

/// Without the feature there is no key agreement, so such a key cannot even be configured.
#[cfg(not(feature = "josekit"))]
async fn invalid_curve(_row: &Value) -> Result<(), String> {
    let agreement = json!({
        "kty": "EC", "crv": "P-256", "kid": "ec-1", "alg": "ECDH-ES+A256KW", "use": "enc",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
    });
    match KeyRing::builder().jwk(&agreement.to_string()).build() {
        Err(_) => Ok(()),
        Ok(_) => Err("the key was accepted".to_owned()),
    }
}

#[cfg(feature = "josekit")]
fn random() -> [u8; 32] {
    std::array::from_fn(|i| u8::try_from(i * 7 + 3).unwrap())
}

fn mint(codec: &TokenCodec) -> String {
    let grant = Grant::new("user-1", &NoClaims {});
    let now = Timestamp::from_secs(1_800_000_000);
    codec.mint_at(&grant, now).unwrap().as_str().to_owned()
}

fn encode(bytes: &[u8]) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}

async fn send(layer: BearerAuthLayer, token: &str, row: &Value) -> Result<(), String> {
    let echo = Echo::default();
    let request = Request::get("/r")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(String::new())
        .unwrap();
    let response = layer.layer(echo.clone()).oneshot(request).await.unwrap();
    compare(row, &response, &echo)
}
