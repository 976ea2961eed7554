// An issuer, `oidc-provider`, whose keys can be replaced while it runs: clients get access tokens as JWT by their
// credentials, for the audience that they ask for, and the current keys stand at `/jwks`.
//
// `PUT /keys` puts other keys in place: its body lists them by `kid` and `alg`, and the first one signs. A name
// stands for the same key each time. `oidc-provider` reads its keys once, and so each such request makes a new
// provider behind the same address.
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

const AUDIENCE = 'urn:api';
const made = new Map();

async function key({ kid, alg }) {
  if (!made.has(kid)) {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    made.set(kid, { ...(await exportJWK(privateKey)), kid, alg, use: 'sig' });
  }
  return made.get(kid);
}

async function provider(issuer, wanted) {
  const resource = (audience) => ({
    scope: 'orders:read orders:write',
    audience,
    accessTokenFormat: 'jwt',
    jwt: { sign: wanted[0] },
  });
  return new Provider(issuer, {
    jwks: { keys: await Promise.all(wanted.map(key)) },
    clients: [
      {
        client_id: 'job',
        client_secret: 'secret',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'client_secret_post',
        id_token_signed_response_alg: wanted[0].alg,
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        getResourceServerInfo: (_context, audience) => resource(audience),
      },
    },
    ttl: { ClientCredentials: 600 },
  });
}

let answer;
const server = createServer(async (request, response) => {
  if (request.method !== 'PUT' || request.url !== '/keys') return answer(request, response);
  answer = (await provider(issuer, await json(request))).callback();
  response.writeHead(204).end();
});
let issuer;
server.listen(0, '127.0.0.1', () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  console.log(`Open ${issuer}`);
});
