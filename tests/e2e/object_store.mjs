// An object store for the tests: s3rver, with a door before it that AWS's own signer guards.
//
//   node object_store.mjs NODE_MODULES DIRECTORY
//
// Prints its port. A request whose signature or body's SHA-256 is wrong is refused, as S3 does and s3rver does not.
// Mishaps, by a word in the key: "busy" (each request is answered 503 once), "dies" (the second part is refused),
// "late" (the first completion is a fault with status 200), "lost" (the first completion's answer never comes),
// "moved" (the bucket is in eu-west-1), "shut" (refused until GET /open). GET /asked tells each request: method, path, query, what was answered.
import { createHash } from "node:crypto";
import http from "node:http";
import { createRequire } from "node:module";

const [, , modules, directory] = process.argv;
const require = createRequire(modules + "/");
const S3rver = require("s3rver");
const { SignatureV4 } = require("@smithy/signature-v4");
const { HttpRequest } = require("@smithy/protocol-http");
const { Sha256 } = require("@aws-crypto/sha256-js");

const SECRET = "secret/+0123456789";
const TOKEN = "session-token-0123456789";
const asked = [];
const met = new Set();
let isOpen = false;

const store = new S3rver({
    address: "127.0.0.1", port: 0, silent: true, directory, configureBuckets: [{ name: "lake" }],
});
const { port } = await store.run();

const queryOf = (text) => Object.fromEntries(new URLSearchParams(text));

async function fault(request, path, query, body) {
    const authorization = request.headers.authorization ?? "";
    const [, id, day, region, names] =
        /Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+)/.exec(authorization) ?? [];
    if (!id) {
        return "AccessDenied";
    }
    if (request.headers["x-amz-content-sha256"] !== createHash("sha256").update(body).digest("hex")) {
        return "XAmzContentSHA256Mismatch";
    }
    const headers = Object.fromEntries(names.split(";").map((name) => [name, request.headers[name]]));
    const date = request.headers["x-amz-date"];
    const signer = new SignatureV4({
        service: "s3", region, sha256: Sha256, uriEscapePath: false, applyChecksum: false,
        credentials: { accessKeyId: id, secretAccessKey: SECRET, sessionToken: headers["x-amz-security-token"] },
    });
    const signed = await signer.sign(
        new HttpRequest({ method: request.method, hostname: "127.0.0.1", path, query: queryOf(query), headers }),
        { signingDate: new Date(date.replace(/(....)(..)(..T..)(..)(..Z)/, "$1-$2-$3:$4:$5")) });
    const signature = (text) => /Signature=([0-9a-f]{64})/.exec(text)?.[1];
    const isOurs = !("x-amz-security-token" in headers) || headers["x-amz-security-token"] === TOKEN;
    return signature(signed.headers.authorization) === signature(authorization) && isOurs && day
        ? "" : "SignatureDoesNotMatch";
}

function refuse(answer, status, code, more = {}) {
    answer.writeHead(status, { "content-type": "application/xml", ...more });
    answer.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>as the test wants it</Message></Error>`);
    return [status, code];
}

// Whether this has come before: the first time it has not.
function again(what) {
    const has = met.has(what);
    met.add(what);
    return has;
}

async function mishap(request, answer, path, query) {
    const isCompletion = request.method === "POST" && query.startsWith("uploadId=");
    if (path.includes("busy") && !again(request.method + path + query)) {
        return refuse(answer, 503, "SlowDown");
    }
    if (path.includes("shut") && !isOpen) {
        return refuse(answer, 403, "AccessDenied");
    }
    if (path.includes("dies") && query.startsWith("partNumber=2")) {
        return refuse(answer, 403, "AccessDenied");
    }
    if (path.includes("moved") && !request.headers.authorization.includes("/eu-west-1/")) {
        return refuse(answer, 301, "PermanentRedirect", { "x-amz-bucket-region": "eu-west-1" });
    }
    if (path.includes("lost") && isCompletion && met.has(path)) {
        return refuse(answer, 404, "NoSuchUpload");
    }
    if (path.includes("late") && isCompletion && !again(path)) {
        return refuse(answer, 200, "InternalError");
    }
    return null;
}

function pass(request, answer, body, isLost) {
    return new Promise((done) => {
        const inner = http.request({ host: "127.0.0.1", port, method: request.method, path: request.url,
            headers: { ...request.headers, "content-length": body.length } }, (told) => {
            if (isLost) {
                request.socket.destroy();
            } else {
                answer.writeHead(told.statusCode, told.headers);
                told.pipe(answer);
            }
            told.on("end", () => done([told.statusCode, isLost ? "lost" : ""]));
            told.resume();
        });
        inner.end(body);
    });
}

const door = http.createServer(async (request, answer) => {
    if (request.url === "/asked") {
        answer.end(JSON.stringify(asked));
        return;
    }
    if (request.url === "/open") {
        isOpen = true;
        answer.end();
        return;
    }
    const pieces = [];
    for await (const piece of request) {
        pieces.push(piece);
    }
    const body = Buffer.concat(pieces);
    const [path, query = ""] = request.url.split("?");
    const wrong = await fault(request, path, query, body);
    const isLost = () => path.includes("lost") && request.method === "POST" && query.startsWith("uploadId=") && !again(path);
    const told = wrong ? refuse(answer, 403, wrong)
        : await mishap(request, answer, path, query) ?? await pass(request, answer, body, isLost());
    asked.push([request.method, path, query, ...told]);
});
door.listen(0, "127.0.0.1", () => console.log(door.address().port));
