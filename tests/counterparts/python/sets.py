"""Judges tokens by JWK Sets with PyJWT. Reads questions from standard input, a JSON array, and writes as many
verdicts."""

import json
import sys
import warnings

import jwt

# Some keys of the tables are short on purpose.
warnings.simplefilter("ignore")

ALGORITHMS = [
    "EdDSA", "Ed25519", "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
]
# PyJWT has no clock but the system's, and the tokens of the tables are for another time.
OPTIONS = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}


class Held(jwt.PyJWKClient):
    """The client that finds a token's key in a set, with the set in hand."""

    def __init__(self, text):
        super().__init__("https://id.example/jwks", cache_jwk_set=False)
        self.text = text

    def fetch_data(self):
        # Bytes, as an answer has them: a byte-order mark is skipped.
        return json.loads(self.text.encode())


def judge(question):
    try:
        key = Held(question["set"]).get_signing_key_from_jwt(question["token"])
        jwt.decode(
            question["token"],
            key,
            algorithms=ALGORITHMS,
            issuer=question["issuer"],
            audience=question["audience"],
            options=OPTIONS,
        )
        return {"accepted": True}
    except Exception as error:  # Whatever it is, the token was not accepted.
        return {"accepted": False, "why": f"{type(error).__name__}: {error}"}


json.dump([judge(question) for question in json.load(sys.stdin)], sys.stdout)
