//! A client that is told the URL of a server and nothing else.

use reqwest::{Client, Response, StatusCode, header::WWW_AUTHENTICATE};
use serde_json::{Value, json};

use crate::{Error, authorization_server::CLIENT};

pub(crate) async fn walk(server: &str) -> Result<(), Error> {
    let http = Client::new();

    let challenge = refused(
        call(&http, server, None, "initialize", json!({})).await?,
        StatusCode::UNAUTHORIZED,
    )?;
    let url =
        attribute(&challenge, "resource_metadata").ok_or("the challenge names no document")?;
    println!("1. {server} wants a token, and names {url}");

    let document = get(&http, url).await?;
    // Otherwise another server could send us for tokens that it then takes from us (RFC 9728 section 3.3).
    if document["resource"] != server {
        return Err("the document is about another resource".into());
    }
    let issuer = document["authorization_servers"][0]
        .as_str()
        .ok_or("there is no authorization server")?;
    println!("2. the document names the authorization server {issuer}");

    // Of an issuer with a path, this stands between host and path, as with the document above.
    let metadata = get(
        &http,
        &format!("{issuer}/.well-known/oauth-authorization-server"),
    )
    .await?;
    if metadata["issuer"] != issuer {
        return Err("the metadata is of another authorization server".into());
    }
    let endpoint = metadata["token_endpoint"]
        .as_str()
        .ok_or("there is no token endpoint")?;
    println!("3. which gives out tokens at {endpoint}");

    let scope = attribute(&challenge, "scope").unwrap_or("notes:read");
    let token = token(&http, endpoint, server, scope).await?;
    println!("4. a token for {scope}");

    for method in ["initialize", "tools/list"] {
        let answer = call(&http, server, Some(&token), method, json!({})).await?;
        println!("5. {method}: {}", answer.json::<Value>().await?["result"]);
    }

    let note = json!({ "name": "add_note", "arguments": { "text": "milk" } });
    let lacking = call(&http, server, Some(&token), "tools/call", note.clone()).await?;
    let challenge = refused(lacking, StatusCode::FORBIDDEN)?;
    let scope = attribute(&challenge, "scope").ok_or("the challenge names no scope")?;
    println!("6. add_note wants the scope {scope}");

    let token = self::token(&http, endpoint, server, scope).await?;
    let answer = call(&http, server, Some(&token), "tools/call", note).await?;
    let answer: Value = answer.error_for_status()?.json().await?;
    println!("7. add_note: {}", answer["result"]["content"][0]["text"]);
    Ok(())
}

async fn call(
    http: &Client,
    server: &str,
    token: Option<&str>,
    method: &str,
    params: Value,
) -> Result<Response, Error> {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let request = http
        .post(server)
        .json(&call)
        .header("mcp-protocol-version", "2025-06-18");
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    Ok(request.send().await?)
}

async fn get(http: &Client, url: &str) -> Result<Value, Error> {
    Ok(http
        .get(url)
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?)
}

/// A token for this resource alone (RFC 8707).
async fn token(
    http: &Client,
    endpoint: &str,
    resource: &str,
    scope: &str,
) -> Result<String, Error> {
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", scope),
        ("resource", resource),
    ];
    let (id, secret) = CLIENT;
    let answer = http
        .post(endpoint)
        .basic_auth(id, Some(secret))
        .form(&form)
        .send()
        .await?;
    let answer: Value = answer.error_for_status()?.json().await?;
    Ok(answer["access_token"]
        .as_str()
        .ok_or("there is no token")?
        .to_owned())
}

/// The challenge of a refusal with this status.
fn refused(answer: Response, status: StatusCode) -> Result<String, Error> {
    if answer.status() != status {
        return Err(format!("answered {} instead of {status}", answer.status()).into());
    }
    let challenge = answer
        .headers()
        .get(WWW_AUTHENTICATE)
        .ok_or("there is no challenge")?;
    Ok(challenge.to_str()?.to_owned())
}

/// The value of an attribute of a challenge. That of this crate holds no quote within quotes.
fn attribute<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = challenge.split_once(&format!(" {name}=\""))?;
    Some(rest.split_once('"')?.0)
}
