"""Finds the keys of an issuer by its metadata, as an API over PyJWT does, and judges tokens. Reads the issuer, the
audience and the tokens from standard input, and writes what it has read of each."""

import json
import sys
import urllib.request

import jwt

ALGORITHMS = ["EdDSA", "Ed25519", "ES256", "RS256", "PS256"]

asked = json.load(sys.stdin)
with urllib.request.urlopen(asked["issuer"] + asked["metadata"]) as answer:
    document = json.load(answer)
if document["issuer"] != asked["issuer"]:
    sys.exit("another issuer")
keys = jwt.PyJWKClient(document["jwks_uri"])


def read(token):
    try:
        header = jwt.get_unverified_header(token)
        if header["typ"] != "at+jwt":
            raise jwt.InvalidTokenError("another type")
        claims = jwt.decode(
            token,
            keys.get_signing_key_from_jwt(token),
            algorithms=ALGORITHMS,
            issuer=document["issuer"],
            audience=asked["audience"],
            options={"require": ["exp", "iat", "sub"]},
        )
        return {"alg": header["alg"], "kid": header["kid"], "claims": claims}
    except Exception as error:  # Whatever it is, the token was not accepted.
        return {"why": f"{type(error).__name__}: {error}"}


json.dump([read(token) for token in asked["tokens"]], sys.stdout)
