// Judges tokens by JWK Sets with `jose`, as its documentation does it. Reads questions from standard input, a
// JSON array, and writes as many verdicts.
import { text } from 'node:stream/consumers';
import { createLocalJWKSet, jwtVerify } from 'jose';

// With a clock of its own, because the tokens of the tables are for another time.
const currentDate = new Date(1_800_000_000_000);

async function judge({ set, token, issuer, audience }) {
  try {
    // `createRemoteJWKSet` reads an answer like this, which skips a byte-order mark.
    const keys = createLocalJWKSet(await new Response(set).json());
    await jwtVerify(token, keys, { issuer, audience, currentDate });
    return { accepted: true };
  } catch (error) {
    return { accepted: false, why: `${error.code ?? error.name}: ${error.message}` };
  }
}

const questions = JSON.parse(await text(process.stdin));
const verdicts = [];
for (const question of questions) verdicts.push(await judge(question));
console.log(JSON.stringify(verdicts));
