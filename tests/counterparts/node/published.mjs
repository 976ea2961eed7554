// Finds the keys of an issuer by its metadata, as an API over `jose` does, and judges tokens. Reads the issuer, the
// audience and the tokens from standard input, and writes what it has read of each.
import { text } from 'node:stream/consumers';
import { createRemoteJWKSet, jwtVerify } from 'jose';

const { issuer, metadata, audience, tokens } = JSON.parse(await text(process.stdin));
const document = await (await fetch(issuer + metadata)).json();
if (document.issuer !== issuer) throw new Error('another issuer');
const keys = createRemoteJWKSet(new URL(document.jwks_uri));

async function read(token) {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      issuer: document.issuer,
      audience,
      typ: 'at+jwt',
      requiredClaims: ['exp', 'iat', 'sub'],
    });
    return { alg: protectedHeader.alg, kid: protectedHeader.kid, claims: payload };
  } catch (error) {
    return { why: `${error.code ?? error.name}: ${error.message}` };
  }
}

console.log(JSON.stringify(await Promise.all(tokens.map(read))));
