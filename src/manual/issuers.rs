#![cfg_attr(
    not(feature = "jwks"),
    allow(
        rustdoc::broken_intra_doc_links,
        reason = "what the chapter is about comes with the feature"
    )
)]
//! Your issuer: the lines to write for Auth0, Okta, Entra ID, Cognito, Google, Firebase, Keycloak, Supabase,
//! Zitadel, Spring Authorization Server, Duende and ForgeRock.
//!
//! With the feature `jwks`. Take the URL, the audience and the lines of your issuer from the table:
//!
//! ```no_run
//! use tower_bearer::{BearerAuthLayer, TokenCodec, jwks::RemoteIssuer, token::TokenType};
//!
//! # fn main() -> Result<(), tower_bearer::ConfigError> {
//! let issuer = RemoteIssuer::discover("https://TENANT.eu.auth0.com/")?;
//! let codec: TokenCodec = issuer
//!     .codec()
//!     .audience("https://api.example")
//!     .token_types([TokenType::AccessToken, TokenType::Jwt]) // the lines of the table
//!     .build()?;
//! let api = BearerAuthLayer::new(codec);
//! # let _ = api;
//! # Ok(())
//! # }
//! ```
//!
//! | issuer | URL, letter for letter | audience | lines |
//! |---|---|---|---|
//! | [Auth0](#auth0) | `https://TENANT.REGION.auth0.com/`, with the last slash | the identifier of your API | `.token_types([TokenType::AccessToken, TokenType::Jwt])` |
//! | Auth0, profile RFC 9068 | the same | the same | none |
//! | [Okta](#okta) | `https://ORG.okta.com/oauth2/default` | `api://default`, or what its authorization server names | `.token_types([TokenType::AccessToken, TokenType::Absent])` `.scope_claims(["scp"])` |
//! | [Entra ID](#entra-id) | `https://login.microsoftonline.com/TENANT-ID/v2.0` | the client id of your API's registration | `.token_types([TokenType::AccessToken, TokenType::Jwt])` `.scope_claims(["scp"])` |
//! | [Cognito](#cognito) | `https://cognito-idp.REGION.amazonaws.com/POOL-ID` | the client id of the app | `.token_types([TokenType::AccessToken, TokenType::Absent])` `.audience_claim("client_id")` |
//! | [Firebase](#google-and-firebase) | `https://securetoken.google.com/PROJECT` | `PROJECT` | `.token_types([TokenType::AccessToken, TokenType::Jwt])` |
//! | [Google](#google-and-firebase), ID tokens | `https://accounts.google.com` | your OAuth client id | `.token_types([TokenType::AccessToken, TokenType::Jwt])` |
//! | [Keycloak](#keycloak) | `https://HOST/realms/REALM` | what your audience mapper adds | `.token_types([TokenType::AccessToken, TokenType::Jwt])` |
//! | [Supabase](#supabase) | `https://REF.supabase.co/auth/v1` | `authenticated` | `.token_types([TokenType::AccessToken, TokenType::Jwt])` |
//! | [Zitadel](#zitadel) | `https://INSTANCE.REGION.zitadel.cloud`, or your domain | the id of your project | `.token_types([TokenType::AccessToken, TokenType::Jwt, TokenType::Absent])` |
//! | [Spring Authorization Server](#spring-authorization-server) | the `issuer` of its settings | the client id, unless you customise it | `.token_types([TokenType::AccessToken, TokenType::Absent])` |
//! | [Duende IdentityServer](#duende-identityserver) | its address | the name of the API resource | none |
//! | [ForgeRock](#forgerock) | `https://HOST:443/am/oauth2/realms/root/realms/REALM` | the client id | `.token_types([TokenType::AccessToken, TokenType::Jwt])` |
//! | one that follows RFC 9068, with any key of this crate's | its `issuer` | its `aud` | none |
//!
//! No line lowers safety: signature, issuer, audience and expiry are checked whatever they say. `JWT` and a missing
//! type say nothing of a token's purpose, so that [the audience](#id-tokens-are-no-access-tokens) has to.
//!
//! # It is refused, and why
//!
//! ```sh
//! # in a copy of the repository
//! cargo run -p explain -- --jwks https://TENANT.eu.auth0.com/.well-known/jwks.json \
//!     --issuer https://TENANT.eu.auth0.com/ --audience https://api.example < token.txt
//! ```
//!
//! The example `explain` says of each key whether it is used, and of each token which setting takes it. The log of a
//! service says the same: the reason with its cure, behind the one opaque answer.
//!
//! | symptom | reason |
//! |---|---|
//! | `segments`, and the token is short or has one part | [An opaque token](#opaque-tokens): ask the issuer for a JWT. |
//! | `header_parameter`, setting `token_types` | the type: the lines above |
//! | `issuer`, setting `issuer` | A slash, a port or a version differs. Copy `iss` from a token. |
//! | `audience`, setting `audience` | The token is for another API, or for none. |
//! | `key` | The token is of another tenant or environment, or its key is [not used](super::remote_keys#one-key-never-decides-for-the-others). |
//! | accepted, and [`RequireScopeLayer`](crate::RequireScopeLayer) answers 403 | The scopes stand in another claim: `.scope_claims(["scp"])`. |
//!
//! # Several issuers
//!
//! One layer takes them all. [`Verifiers`](crate::Verifiers) chooses the codec by the token's `iss`; each has keys
//! and rules of its own, and a key of the one never vouches for the other.
//!
//! ```no_run
//! use tower_bearer::{BearerAuthLayer, TokenCodec, Verifiers, jwks::RemoteIssuer, token::TokenType};
//!
//! # fn main() -> Result<(), tower_bearer::ConfigError> {
//! let auth0 = RemoteIssuer::discover("https://TENANT.eu.auth0.com/")?;
//! let okta = RemoteIssuer::discover("https://ORG.okta.com/oauth2/default")?;
//! let customers: TokenCodec = auth0
//!     .codec()
//!     .audience("https://api.example")
//!     .token_types([TokenType::AccessToken, TokenType::Jwt])
//!     .build()?;
//! let staff: TokenCodec = okta
//!     .codec()
//!     .audience("api://default")
//!     .token_types([TokenType::AccessToken, TokenType::Absent])
//!     .scope_claims(["scp"])
//!     .build()?;
//! let api = BearerAuthLayer::new(Verifiers::new([customers, staff])?);
//! # let _ = api;
//! # Ok(())
//! # }
//! ```
//!
//! A [readiness probe](super::how_to#several-issuers) asks both handles.
//!
//! # Through a company's proxy
//!
//! The built-in client reads no `HTTP_PROXY`. [`Fetch`](crate::jwks::Fetch) has a client with a proxy to copy, and its
//! method names types of two more crates:
//!
//! ```sh
//! cargo add bytes http reqwest
//! ```
//!
//! # ID tokens are no access tokens
//!
//! An issuer signs both with the same keys, and most give both the type `JWT`. The audience tells them apart: that of
//! an ID token is the client, and that of an access token is your API. **Do not take a client id as audience**
//! where the issuer lets you choose. Otherwise each page that knows a user's ID token may act as that user.
//! Firebase and Google have ID tokens and nothing else for this; with Spring's and ForgeRock's defaults you cannot
//! choose, so ask for a claim that only access tokens have:
//!
//! ```
//! use serde::Deserialize;
//! use tower_bearer::RequireClaimsLayer;
//!
//! #[derive(Clone, Deserialize)]
//! struct Forgerock {
//!     #[serde(rename = "tokenName")]
//!     token_name: String,
//! }
//!
//! let only_access_tokens =
//!     RequireClaimsLayer::new(|claims: &tower_bearer::Claims<Forgerock>| claims.custom().token_name == "access_token");
//! # let _ = only_access_tokens;
//! ```
//!
//! # Opaque tokens
//!
//! A token without three parts separated by dots is a reference that the issuer alone can read. Introspection
//! (RFC 7662) would ask it at each request; this crate has none. Each issuer below says how to get a JWT instead.
//!
//! # Auth0
//!
//! A client that asks for no `audience` gets an opaque token, for `/userinfo`. Name the identifier of your API in the
//! authorization request, or set a default audience for the tenant. `aud` then lists your API and `/userinfo`, of which
//! one has to be yours. Scopes stand in `scope`, and with RBAC the user's permissions in `permissions`, an array: a member of
//! your claims type. An API with the token profile RFC 9068 needs no lines. With a custom domain, `iss` is that domain for
//! tokens that were asked for there. (Auth0: Access Token Profiles; Get Access Tokens.)
//!
//! # Okta
//!
//! Take a *custom* authorization server; each org has the one named `default`. The org's own server, whose issuer has
//! no `/oauth2/...`, signs access tokens for Okta's API alone: Okta says that nothing else can verify them. The audience
//! is set at the server and not asked for by clients. Scopes stand in `scp`, an array; `groups` and others are
//! claims that you add at the server. (Okta: Authorization servers; Custom Authorization Servers.)
//!
//! # Entra ID
//!
//! The *API's* registration chooses the version: set `requestedAccessTokenVersion` to 2 in its manifest. Otherwise its
//! tokens are of version 1, with the issuer `https://sts.windows.net/TENANT-ID/` and the App ID URI (`api://…`) as
//! audience, whichever endpoint the client used. A token for Microsoft Graph is not for you and verifies nowhere else: a
//! client gets it by asking for `User.Read` alone. It has to ask for a scope of your API, `api://…/access`.
//! Delegated permissions stand in `scp`, one text; application roles in `roles`, an array. The metadata of `common` and
//! `organizations` names a pattern instead of an issuer: take one codec a tenant, and `Verifiers`.
//! (Microsoft: Access tokens in the Microsoft identity platform; Access token claims reference.)
//!
//! # Cognito
//!
//! Access tokens have `client_id` and no `aud`; ID tokens have `aud` and no `client_id`, so that this line refuses them.
//! Several apps are several `.audience(...)`. Scopes stand in `scope`, one text; groups in `cognito:groups`, an
//! array. A pool that binds tokens to a resource server adds `aud`: leave the line out there.
//! (AWS: Understanding the access token; Verifying JSON web tokens.)
//!
//! # Google and Firebase
//!
//! Google's own access tokens are opaque. Firebase's client SDKs hand out ID tokens, and they are what a page sends to your
//! API: [no access token](#id-tokens-are-no-access-tokens) is there beside them. They live for an hour. Custom claims
//! stand at the top level; there are no scopes. A disabled user's token is good until it ends. A user who signed in
//! *anonymously* has a token of the same audience, in which `firebase.sign_in_provider` is `anonymous`: where your
//! project allows such sign-ins, refuse them with [`RequireClaimsLayer`](crate::RequireClaimsLayer).
//! Google names itself `accounts.google.com`, without a scheme, to older clients: `.also_issuer("accounts.google.com")`.
//! (Firebase: Verify ID Tokens; `DecodedIdToken`. Google: OpenID Connect API Reference.)
//!
//! # Keycloak
//!
//! A fresh realm writes `account` into `aud`, which says nothing: it stands there for each user with a role of that
//! client. Add a client scope with a mapper *Audience* that names your API, and attach it to the clients that call you.
//! Without a mapper and without roles `aud` is left out. Realm roles stand in `realm_access.roles`, those of a client in
//! `resource_access.CLIENT.roles`, scopes in `scope`. The issuer is the URL that the *browser* used, unless
//! `hostname` is set: one name inside of a cluster and another outside are two issuers. Set it to the outer URL. A
//! service in the cluster then takes the keys from the inner address, and the name from outside:
//!
//! ```no_run
//! use tower_bearer::{TokenCodec, jwks::RemoteJwks};
//!
//! # fn main() -> Result<(), tower_bearer::ConfigError> {
//! let keys = RemoteJwks::builder("http://keycloak.svc:8080/realms/REALM/protocol/openid-connect/certs")
//!     .dangerous_plain_http() // within the cluster; leave it out where that address has TLS
//!     .build()?;
//! let codec: TokenCodec = TokenCodec::signed(&keys.keys())
//!     .issuer("https://HOST/realms/REALM")
//!     .audience("orders")
//!     .build()?;
//! # let _ = codec;
//! # Ok(())
//! # }
//! ```
//!
//! `RemoteIssuer` refuses the inner address, since its metadata name the outer issuer. A key for encryption stands in
//! the set, perhaps under the same `kid`: it is passed over. (Keycloak: Server Administration Guide, "Audience support"; Configuring the hostname (v2).)
//!
//! # Supabase
//!
//! Projects with *signing keys* publish ES256 or RS256. Older ones sign with the project's JWT secret (HS256), which is in
//! no key set and must not be in a service: each service that holds it can sign. Migrate in the dashboard; tokens of
//! before are refused from then on. Each signed-in user has the audience `authenticated`, so it tells no API apart. A user
//! who signed in *anonymously* has it too, and `is_anonymous`, which is `true` then: where your project allows such
//! sign-ins, ask for `false` with [`RequireClaimsLayer`](crate::RequireClaimsLayer). `role` is the role in the database, and
//! the same for both. Roles of your own go into `app_metadata`, never `user_metadata`, which the user can write.
//! (Supabase: JWT Signing Keys; JWT Claims Reference; Anonymous Sign-Ins.)
//!
//! # Zitadel
//!
//! Access tokens are opaque by default: set the *Auth Token Type* of the application to JWT. `aud` has the client
//! ids of the project's applications and the project's id; a client of another project asks for the scope
//! `urn:zitadel:iam:org:project:id:PROJECT-ID:aud`. Roles stand in `urn:zitadel:iam:org:project:roles`, an object whose names
//! are the roles. (Zitadel: Scopes; Claims; Retrieve User Roles.)
//!
//! # Spring Authorization Server
//!
//! `scope` is an array, which is read as the text is. `aud` is the client's id: set it in an `OAuth2TokenCustomizer`
//! to a name of your API, and the type to `at+jwt` there, and no line is left. The set has an RSA key without `alg`,
//! which is for RS256. (Spring: Authorization Server Reference, "OAuth2TokenCustomizer".)
//!
//! # Duende IdentityServer
//!
//! The type is `at+jwt`. `scope` is an array by default, and one text with
//! `EmitScopesAsSpaceDelimitedStringInJwt`: both are read. `aud` has the API *resources* whose scopes were asked for;
//! without API resources there is no `aud`, unless `EmitStaticAudienceClaim` adds `ISSUER/resources`. A reference token
//! is opaque: `AccessTokenType` of the client. IdentityServer lowers the case of its inferred address.
//! (Duende: IdentityServer Options; API Resources; Authorization based on scopes.)
//!
//! # ForgeRock
//!
//! Access Management, now PingAM. Access tokens are opaque until *Use Client-Based Access & Refresh Tokens* is on, and
//! must be signed with a public-key algorithm. `iss` has the port, `:443` too, and the path of the realm. `aud`
//! is the client's id, `scope` an array. The header has `"zip":"NONE"`, which means nothing and is ignored. One `kid`
//! stands for several algorithms of one RSA key: a key is found by both. An *encrypted* client-based token is for the
//! server itself. (Ping: OAuth 2.0 guide, "Client-based OAuth 2.0 tokens".)
//!
//! # Behind the token
//!
//! Roles, groups and permissions are members of your claims type, `TokenCodec<Mine>`, and
//! [`RequireClaimsLayer`](crate::RequireClaimsLayer) asks for them with a 403. Scopes of an odd form grant nothing.
//!
//! # `client_id` in tokens that you mint
//!
//! Tokens minted here follow RFC 9068 but for `client_id`, since a service and its own page have no OAuth client. A service
//! that has some, and verifiers that ask for it, adds the claim:
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use tower_bearer::{KeyRing, TokenCodec};
//!
//! #[derive(Serialize, Deserialize)]
//! struct OfClient {
//!     client_id: String,
//!     scope: String,
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let codec = TokenCodec::signed(&KeyRing::generate()?)
//!     .issuer("https://id.example")
//!     .audience("orders")
//!     .build()?;
//! let custom = OfClient { client_id: "mobile".into(), scope: "orders:read".into() };
//! let token = codec.mint("user-1", &custom)?;
//! assert_eq!(codec.verify(token.as_str())?.custom().client_id, "mobile");
//! # Ok(())
//! # }
//! ```
//!
//! # The cost of a stranger's request
//!
//! A forged token is refused where it fails first. Until the signature is checked that is a few hundred nanoseconds;
//! a forged signature costs what a good one costs.
//!
//! | a token with a known `kid` and a forged signature | costs |
//! |---|---|
//! | HS256 | 1.8 µs |
//! | HS256 in an encrypted token | 2.5 µs |
//! | RS256, 2048 bits | 63 µs |
//! | EdDSA | 126 µs |
//! | ES256 | 152 µs |
//! | RSA-OAEP-256 around it: 2048, 3072, 4096 bits | 0.28, 1.8, 4.2 ms |
//!
//! The first five by `cargo bench -p benches --bench token` on two virtual cores that ten other processes wanted: an idle
//! hour takes half as long. RSA-OAEP is the best of 200 verifications of a token whose wrapped key was changed; one that
//! was not changed takes the same.
//!
//! With several issuers in [`Verifiers`](crate::Verifiers) the payload is read for its `iss` before anything is checked:
//! 20 to 41 µs for 8 KiB, 170 to 333 µs for 64 KiB. [`max_token_bytes`](crate::token::TokenCodecBuilder::max_token_bytes)
//! bounds it.
//!
//! So 6 500 requests a second keep a core busy with ES256, and 240 with RSA-OAEP and 4096 bits. Limit them in front of the
//! layer, which knows no caller:
//!
//! * the proxy: requests an address, and the size of headers
//! * [`tower`](https://docs.rs/tower)'s `ConcurrencyLimitLayer` and `LoadShedLayer` outside of the bearer layer
//! * [`max_token_bytes`](crate::token::TokenCodecBuilder::max_token_bytes), which is compared before anything is parsed
//! * the nested profile with a *shared* key where the verifiers are yours: a stranger's token fails its HMAC or its AES-GCM
//!   at a fiftieth of the price; RSA-OAEP does not belong there
//!
//! [The cache](super::performance#the-verified-token-cache) spares the price for tokens that come again. It remembers none
//! that was refused.
