// Every call to the app API carries a signed proof: this phone, this method, this path, this body, now, once.

import { random, sha256, toBase64url, utf8 } from "./bytes.js";

const FAR_OFF = 30; // seconds; the server takes 60

// What the server said instead of 2xx (RFC 9457): status 0 when nothing answered.
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.code);
    this.status = status;
    this.problem = problem;
  }
}

let ahead = 0; // seconds the server's clock is ahead of ours

export const now = () => Date.now() / 1000 + ahead;

const part = (object) => toBase64url(utf8(JSON.stringify(object)));

export async function proof(key, kid, method, path, body) {
  const header = { typ: "ansim-proof+jwt", alg: "ES256", kid };
  const claims = { htm: method, htu: path, iat: Math.floor(now()), jti: toBase64url(random(16)), bh: toBase64url(await sha256(utf8(body))) };
  const signed = `${part(header)}.${part(claims)}`;
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, utf8(signed));
  return { jws: `${signed}.${toBase64url(new Uint8Array(signature))}`, header, claims };
}

// Sends it and answers the body of a 2xx; anything else is a Refusal. `seen` is shown each proof that goes out.
export async function call({ key, kid, seen }, method, path, content) {
  const body = content === undefined ? "" : JSON.stringify(content);
  const send = async () => {
    const made = await proof(key, kid, method, path, body);
    seen(made);
    const headers = { Authorization: `Proof ${made.jws}` };
    if (body) headers["Content-Type"] = "application/json";
    return fetch(path, { method, headers, body: body || undefined, cache: "no-store" });
  };
  let answer;
  try {
    answer = await send();
    if (answer.status === 401 && setClock(answer.headers.get("Date"))) answer = await send();
  } catch {
    throw new Refusal(0, { code: "offline" });
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  throw new Refusal(answer.status, await answer.json().catch(() => ({ code: "unavailable" })));
}

// A 401 may only mean that our clock is wrong: its Date says how much. True when it was worth setting.
function setClock(date) {
  const there = Date.parse(date ?? "") / 1000;
  if (Number.isNaN(there) || Math.abs(there - now()) < FAR_OFF) return false;
  ahead = there - Date.now() / 1000;
  return true;
}
