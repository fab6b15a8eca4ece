// An API behind oidc-provider, a certified OpenID server that nobody here wrote. Its tokens live two seconds; a refresh
// token is good for one use, after which the old one is worth nothing, and to use it once more takes all of them back.
//
//   oidc_provider.mjs MODULES PORT    prints {"refresh_token": ...} once it listens
//
// GET /api/N wants a token of it; GET /counts says what it has given: {"grants": {...}, "reused": N}.

import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [modules, port] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(`${modules}/oidc-provider/lib/index.js`));
const issuer = `http://127.0.0.1:${port}`;
const provider = new Provider(issuer, {
    clients: [{
        client_id: "me", client_secret: "c-secret-0123456789", token_endpoint_auth_method: "client_secret_basic",
        grant_types: ["client_credentials", "refresh_token", "authorization_code"], redirect_uris: ["https://h.test/cb"],
    }, {
        client_id: "form", client_secret: "c-secret-9876543210", token_endpoint_auth_method: "client_secret_post",
        grant_types: ["client_credentials"], redirect_uris: [], response_types: [],
    }],
    scopes: ["read", "openid", "offline_access"],
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    rotateRefreshToken: true,
    ttl: { AccessToken: 2, ClientCredentials: 2, RefreshToken: 600, Grant: 600 },
});
const counts = { grants: {}, reused: 0 };
provider.on("grant.success", (ctx) => {
    const kind = ctx.oidc.params.grant_type;
    counts.grants[kind] = (counts.grants[kind] ?? 0) + 1;
});
provider.on("grant.error", (ctx, error) => {
    counts.reused += /already used/.test(error.error_detail ?? "");
});

async function isGood(header) {
    const token = header?.match(/^Bearer (.+)$/)?.[1];
    return token && (await provider.AccessToken.find(token) || await provider.ClientCredentials.find(token));
}

async function api(request, response) {
    const good = await isGood(request.headers.authorization);
    response.writeHead(good ? 200 : 401, { "content-type": "application/json" });
    response.end(JSON.stringify(good ? { path: request.url } : { error: "invalid_token" }));
}

const handle = provider.callback();
createServer((request, response) => {
    if (request.url.startsWith("/api/")) {
        api(request, response);
    } else if (request.url === "/counts") {
        response.end(JSON.stringify(counts));
    } else {
        handle(request, response);
    }
}).listen(Number(port), "127.0.0.1", async () => {
    const client = await provider.Client.find("me");
    const grant = new provider.Grant({ accountId: "anna", clientId: "me" });
    grant.addOIDCScope("openid offline_access");
    const grantId = await grant.save();
    const token = new provider.RefreshToken({
        client, accountId: "anna", grantId, scope: "openid offline_access", gty: "authorization_code",
        authTime: Math.floor(Date.now() / 1000),
    });
    console.log(JSON.stringify({ refresh_token: await token.save() }));
});
